// TAPEGRAPH_CUDA=checking: the same kernels, compiled so that every access to memory is checked,
// are a library of their own (kernels/cuda/checked), which is opened only when asked for. In one
// library the linker would take one copy of each inline function for both.
#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "kernels/cuda/rungs.h"
#include "kernels/parallel.h"

namespace tg::kernels::cuda {
namespace {

#ifdef __APPLE__
constexpr const char* file_name = "libtapegraph_checking.dylib";
#else
constexpr const char* file_name = "libtapegraph_checking.so";
#endif

// Where this code lies: the folder of the Python module, or of the program.
std::vector<std::filesystem::path> folders() {
    std::vector<std::filesystem::path> all;
    Dl_info info = {};
    if (dladdr(reinterpret_cast<const void*>(&checking), &info) && info.dli_fname)
        all.push_back(std::filesystem::path(info.dli_fname).parent_path());
    std::error_code none;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", none);
    if (!none) all.push_back(program.parent_path());
    return all;
}

}  // namespace

const Backend& checking() {
    void* library = nullptr;
    std::string looked;
    for (const auto& folder : folders()) {
        const std::filesystem::path file = folder / file_name;
        std::error_code none;
        looked += (looked.empty() ? "" : " or ") + folder.string();
        if (!std::filesystem::exists(file, none)) continue;
        library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            return unavailable(std::string("TAPEGRAPH_CUDA=checking: ") + dlerror());
        break;
    }
    if (library == nullptr)
        return unavailable(std::string("TAPEGRAPH_CUDA=checking: there is no ") + file_name +
                           " in " + looked +
                           "; build it with g++ on Linux (the CMake target tapegraph_checking)");
    const auto open = reinterpret_cast<OpenChecking*>(dlsym(library, open_checking_name));
    const Backend* table = open ? open(sizeof(Backend), stopping) : nullptr;
    if (table == nullptr)
        return unavailable(std::string("TAPEGRAPH_CUDA=checking: ") + file_name +
                           " is of another version; build it again");
    return *table;
}

}  // namespace tg::kernels::cuda
