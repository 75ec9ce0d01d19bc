// The one thread pool. Work is cut into chunks whose borders depend on the size of the work and
// never on the number of threads: so the same numbers come out with 1 thread and with 64.
#pragma once

#include <cstdint>

namespace tg::kernels {

// Calls body(begin, end) for chunks of at most `grain` that cover [0, n). Runs on the calling
// thread alone when there is one chunk. Between chunks it polls for an interrupt; once one has
// come, the chunks that have not begun are left out and `interrupted()` says so.
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body);

void set_num_threads(int threads);  // at least 1
int num_threads();                  // at first the number of processors

// The poll is asked now and then, on the calling thread only, whether to stop. The Python
// bindings give one that looks for Ctrl-C. A null poll never stops.
using Poll = bool (*)();
void set_poll(Poll poll);
bool interrupted();  // did the poll stop work on this thread since the last clear?
void clear_interrupted();

// For a chunk that may take long: should it give up? Asks the poll as parallel_for does between
// chunks. Worth asking every million steps or so.
bool stopping();

// While one lives, work on this thread is not stopped halfway: an interrupt waits.
class Uninterrupted {
  public:
    Uninterrupted();
    ~Uninterrupted();
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;
};

// What parallel_for is made of: a plain function and its data, so that a debugger shows both.
using Chunk = void (*)(const void* data, std::int64_t begin, std::int64_t end);
void run_chunks(std::int64_t n, std::int64_t grain, Chunk chunk, const void* data);

template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
    run_chunks(
        n, grain,
        [](const void* data, std::int64_t begin, std::int64_t end) {
            (*static_cast<const Body*>(data))(begin, end);
        },
        &body);
}

}  // namespace tg::kernels
