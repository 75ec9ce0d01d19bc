// A library that is opened at run time: an opponent, never a dependency.
#pragma once

#include <dlfcn.h>

#include <initializer_list>

namespace bench {

class Library {
  public:
    // The first of these that there is.
    explicit Library(std::initializer_list<const char*> names) {
        for (const char* name : names)
            if (handle_ == nullptr) handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    // Writes a function's address into `function`; false if there is none.
    template <class Fn>
    bool find(const char* name, Fn*& function) const {
        function = handle_ ? reinterpret_cast<Fn*>(dlsym(handle_, name)) : nullptr;
        return function != nullptr;
    }

  private:
    void* handle_ = nullptr;  // stays open until the process ends
};

}  // namespace bench
