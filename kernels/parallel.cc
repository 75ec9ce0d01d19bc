// The thread pool. A job is a row of chunks and a counter: each thread takes the next chunk until
// none is left, so a slow thread takes fewer. Which thread computes a chunk changes nothing in it.
//
// A job lies behind a door. Workers that come in time enter and help; when the chunks have run
// out the caller shuts the door and waits for those inside. So a worker that sleeps too long is
// never waited for. After work a worker looks for the next job for some microseconds, giving way
// to whoever wants the processor, and then sleeps.
#include "kernels/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace tg::kernels {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr auto awake_after_work = std::chrono::microseconds(30);

struct Job {
    std::int64_t n = 0, grain = 1;
    Chunk chunk = nullptr;
    const void* data = nullptr;
    std::atomic<std::int64_t> next{0};  // where the first chunk begins that nobody has taken
    std::atomic<bool> stopped{false};
};

std::atomic<Poll> poll_function{nullptr};
thread_local bool was_interrupted = false;
thread_local int uninterrupted = 0;
thread_local bool in_chunk = false;  // a parallel_for inside of a chunk runs on its own thread
thread_local Job* helped = nullptr;  // the job of another thread that this one, a worker, helps

// Has the user asked to stop? Asks the poll if the last answer on this thread is 50 ms old.
bool should_stop() {
    thread_local Clock::time_point last = Clock::now();
    const Poll poll = poll_function.load(std::memory_order_relaxed);
    if (poll == nullptr || uninterrupted > 0) return false;
    if (was_interrupted) return true;
    const Clock::time_point now = Clock::now();
    if (now - last < poll_interval) return false;
    last = now;
    const bool stop = poll();
    was_interrupted = stop;
    return stop;
}

void take_chunks(Job& job, bool polls) {
    in_chunk = true;
    while (!job.stopped.load(std::memory_order_relaxed)) {
        const std::int64_t begin = job.next.fetch_add(job.grain, std::memory_order_relaxed);
        if (begin >= job.n) break;
        job.chunk(job.data, begin, std::min(job.n, begin + job.grain));
        if (polls && should_stop()) job.stopped.store(true, std::memory_order_relaxed);
    }
    in_chunk = false;
}

class Pool {
  public:
    explicit Pool(int workers) {
        for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    ~Pool() {
        {
            std::lock_guard lock(mutex_);
            quit_ = true;
            jobs_.fetch_add(1);
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    void run(std::int64_t n, std::int64_t grain, Chunk chunk, const void* data) {
        job_.n = n;
        job_.grain = grain;
        job_.chunk = chunk;
        job_.data = data;
        job_.next.store(0, std::memory_order_relaxed);
        job_.stopped.store(false, std::memory_order_relaxed);
        door_.store(open, std::memory_order_release);
        jobs_.fetch_add(1);
        if (sleepers_.load() > 0) {
            std::lock_guard lock(mutex_);  // none may be between its last look and its sleep
            wake_.notify_all();
        }
        take_chunks(job_, true);
        door_.fetch_and(~open, std::memory_order_acq_rel);
        while (door_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
    }

  private:
    // door_: bit 0 says open, the rest counts the workers inside.
    static constexpr int open = 1, one_worker = 2;

    bool enter() {
        int state = door_.load(std::memory_order_relaxed);
        while ((state & open) != 0) {
            if (door_.compare_exchange_weak(state, state + one_worker, std::memory_order_acq_rel))
                return true;
        }
        return false;
    }

    void work() {
        std::uint64_t seen = 0;
        while (true) {
            wait_for_job_after(seen);
            seen = jobs_.load();
            if (quit_.load()) return;
            if (!enter()) continue;
            helped = &job_;
            take_chunks(job_, false);
            door_.fetch_sub(one_worker, std::memory_order_acq_rel);
        }
    }

    void wait_for_job_after(std::uint64_t seen) {
        const Clock::time_point sleep_at = Clock::now() + awake_after_work;
        while (jobs_.load() == seen && Clock::now() < sleep_at) std::this_thread::yield();
        if (jobs_.load() != seen) return;
        std::unique_lock lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return jobs_.load() != seen; });
        sleepers_.fetch_sub(1);
    }

    Job job_;
    std::atomic<int> door_{0};
    std::atomic<std::uint64_t> jobs_{0};  // how many there have been
    std::atomic<int> sleepers_{0};
    std::atomic<bool> quit_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::thread> threads_;
};

// The state of the process. `caller` is held by the thread whose job the pool runs; a second
// thread that comes meanwhile runs its chunks itself.
struct Process {
    std::mutex caller;
    Pool* pool = nullptr;
    std::atomic<int> threads{static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))};

    Process() { pthread_atfork(nullptr, nullptr, forget_pool_in_child); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        std::lock_guard lock(caller);
        stop();
        threads = 1;
    }

    void stop() {
        delete pool;
        pool = nullptr;
    }

    // A child has only the thread that forked: the pool's threads are gone and its locks are in
    // any state. It is left behind, and the next job makes a new one.
    static void forget_pool_in_child();
};

Process& process() {
    static Process the_process;
    return the_process;
}

void Process::forget_pool_in_child() {
    Process& p = process();
    new (&p.caller) std::mutex;
    p.pool = nullptr;
}

void run_serially(std::int64_t n, std::int64_t grain, Chunk chunk, const void* data) {
    for (std::int64_t begin = 0; begin < n; begin += grain) {
        chunk(data, begin, std::min(n, begin + grain));
        if (!in_chunk && begin + grain < n && should_stop()) return;
    }
}

}  // namespace

void run_chunks(std::int64_t n, std::int64_t grain, Chunk chunk, const void* data) {
    if (n <= 0) return;
    grain = std::max<std::int64_t>(grain, 1);
    if (n <= grain) return chunk(data, 0, n);
    if (in_chunk) return run_serially(n, grain, chunk, data);
    Process& p = process();
    std::unique_lock lock(p.caller, std::try_to_lock);
    if (!lock.owns_lock() || p.threads == 1) {
        if (lock.owns_lock()) lock.unlock();
        return run_serially(n, grain, chunk, data);
    }
    if (p.pool == nullptr) p.pool = new Pool(p.threads - 1);
    p.pool->run(n, grain, chunk, data);
}

void set_num_threads(int threads) {
    if (in_chunk) return;  // the pool cannot end itself
    Process& p = process();
    std::lock_guard lock(p.caller);
    if (p.threads == std::max(threads, 1)) return;
    p.stop();
    p.threads = std::max(threads, 1);
}

int num_threads() { return process().threads; }

void set_poll(Poll poll) { poll_function.store(poll); }
bool interrupted() { return was_interrupted; }
void clear_interrupted() { was_interrupted = false; }
bool stopping() { return helped ? helped->stopped.load(std::memory_order_relaxed) : should_stop(); }
Uninterrupted::Uninterrupted() { ++uninterrupted; }
Uninterrupted::~Uninterrupted() { --uninterrupted; }

}  // namespace tg::kernels
