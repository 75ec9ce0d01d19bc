// Two small tools that everything above stands on: a counted pointer whose count lies in the
// object, and a vector that keeps its first N elements in itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

namespace tg {

// Blocks of one size, kept by the thread that frees them for its next allocation.
// An autograd engine makes and drops a few small objects for every op: this is what keeps that
// cheap.
void* allocate_small(std::size_t bytes);
void release_small(void* pointer, std::size_t bytes) noexcept;

// What Ref counts. Copies of the object are new objects with a count of their own.
struct Counted {
    mutable std::atomic<std::int32_t> references{0};
    Counted() = default;
    Counted(const Counted&) {}
    Counted& operator=(const Counted&) { return *this; }
    // One more reference, unless there is none any more: the object is then being destroyed.
    bool hold_if_alive() const {
        std::int32_t n = references.load(std::memory_order_relaxed);
        while (n > 0)
            if (references.compare_exchange_weak(n, n + 1, std::memory_order_acquire)) return true;
        return false;
    }
    static void* operator new(std::size_t bytes) { return allocate_small(bytes); }
    static void operator delete(void* pointer, std::size_t bytes) { release_small(pointer, bytes); }
};

template <class T>
class Ref {
  public:
    Ref() = default;
    Ref(std::nullptr_t) {}
    Ref(T* pointer) : pointer_(pointer) { hold(); }
    Ref(const Ref& other) : pointer_(other.pointer_) { hold(); }
    Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(pointer_, other.pointer_);
        return *this;
    }
    ~Ref() {
        if (pointer_ && pointer_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete pointer_;
    }

    // Takes over a reference that is held already.
    static Ref adopt(T* pointer) {
        Ref r;
        r.pointer_ = pointer;
        return r;
    }

    T* get() const { return pointer_; }
    T& operator*() const { return *pointer_; }
    T* operator->() const { return pointer_; }
    explicit operator bool() const { return pointer_ != nullptr; }
    bool operator==(const Ref& other) const { return pointer_ == other.pointer_; }
    bool alone() const { return pointer_->references.load(std::memory_order_acquire) == 1; }

  private:
    void hold() {
        if (pointer_) pointer_->references.fetch_add(1, std::memory_order_relaxed);
    }
    T* pointer_ = nullptr;
};

template <class T, class... Parts>
Ref<T> make(Parts&&... parts) {
    return Ref<T>(new T{std::forward<Parts>(parts)...});
}

// A vector whose first N elements need no allocation. Enough of std::vector for our lists.
template <class T, int N>
class Inline {
  public:
    Inline() = default;
    Inline(std::initializer_list<T> list) {
        reserve(static_cast<int>(list.size()));
        for (const T& x : list) push_back(x);
    }
    explicit Inline(int n) {
        reserve(n);
        for (int i = 0; i < n; ++i) push_back(T{});
    }
    Inline(const Inline& other) {
        reserve(other.size_);
        for (const T& x : other) push_back(x);
    }
    Inline(Inline&& other) noexcept { take(other); }
    Inline& operator=(Inline other) noexcept {
        clear();
        take(other);
        return *this;
    }
    ~Inline() { clear(); }

    int size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    T& operator[](int i) { return data_[i]; }
    const T& operator[](int i) const { return data_[i]; }
    T& back() { return data_[size_ - 1]; }

    template <class U>
    T& push_back(U&& value) {
        if (size_ == capacity_) reserve(2 * capacity_);
        return *new (data_ + size_++) T(std::forward<U>(value));
    }
    T pop_back() {
        T last = std::move(data_[size_ - 1]);
        data_[--size_].~T();
        return last;
    }
    void reserve(int n) {
        if (n <= capacity_) return;
        T* grown = static_cast<T*>(::operator new(sizeof(T) * static_cast<std::size_t>(n)));
        for (int i = 0; i < size_; ++i) {
            new (grown + i) T(std::move(data_[i]));
            data_[i].~T();
        }
        drop();
        data_ = grown;
        capacity_ = n;
    }
    // Destroys the elements and returns to the inline space.
    void clear() {
        for (int i = 0; i < size_; ++i) data_[i].~T();
        drop();
        data_ = here();
        size_ = 0;
        capacity_ = N;
    }

  private:
    T* here() { return reinterpret_cast<T*>(space_); }
    void drop() {
        if (data_ != here()) ::operator delete(data_);
    }
    void take(Inline& other) {
        if (other.data_ != other.here()) {
            data_ = std::exchange(other.data_, other.here());
            size_ = std::exchange(other.size_, 0);
            capacity_ = std::exchange(other.capacity_, N);
            return;
        }
        for (T& x : other) push_back(std::move(x));
        other.clear();
    }

    int size_ = 0;
    int capacity_ = N;
    T* data_ = here();
    alignas(T) unsigned char space_[sizeof(T) * static_cast<std::size_t>(N)];
};

}  // namespace tg
