#include "tests/bench/sides.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "tests/bench/moment.h"
#include "tests/support/eventually.h"

namespace pqd::bench {

struct SidesBoard {
  std::atomic<uint32_t> ready{0};
  std::atomic<uint32_t> open{0};
  std::atomic<uint32_t> over{0};
  size_t sides = 0;
  const char* names[Sides::kSidesMax] = {};
  SideReport reports[Sides::kSidesMax];
};

void Side::start() {
  board_->ready.fetch_add(1);
  // Asleep until it opens: hundreds of sides that look again and again would keep each other from getting
  // ready.
  while (board_->open.load(std::memory_order_acquire) == 0)
    ::syscall(SYS_futex, &board_->open, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  report_->began_ns = now_ns();
}

bool Side::over() const { return board_->over.load(std::memory_order_relaxed) != 0; }

void Side::end_all() { board_->over.store(1); }

uint64_t Side::done_by(std::string_view name) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < board_->sides; ++i)
    if (board_->names[i] == name) sum += board_->reports[i].count.load(std::memory_order_acquire);
  return sum;
}

void Side::fail(const std::string& why) {
  std::strncpy(report_->fault, why.c_str(), sizeof report_->fault - 1);
  end_all();
  ::_exit(1);
}

Sides::Sides() {
  void* memory =
      ::mmap(nullptr, sizeof(SidesBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  board_ = new (memory) SidesBoard;
}

Sides::~Sides() {
  processes_.clear();
  ::munmap(board_, sizeof(SidesBoard));
}

void Sides::add(const char* name, std::function<void(Side&)> work, int cpu) {
  const size_t number = board_->sides;
  if (number == kSidesMax) std::abort();
  board_->names[number] = name;
  ++board_->sides;
  processes_.push_back(std::make_unique<test::Forked>([this, number, work, cpu](const auto&) {
    if (cpu >= 0) {
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(static_cast<size_t>(cpu % ::sysconf(_SC_NPROCESSORS_ONLN)), &only);
      ::sched_setaffinity(0, sizeof only, &only);
    }
    Side side(*board_, board_->reports[number]);
    try {
      work(side);
    } catch (const std::exception& thrown) {
      side.fail(thrown.what());
    }
    side.report().ended_ns = now_ns();
    return 0;
  }));
}

bool Sides::wait_until_ready() {
  const auto any_ended = [this] {
    for (const auto& process : processes_)
      if (!process->running()) return true;
    return false;
  };
  bool ended = false;
  test::eventually([&] { return board_->ready.load() == board_->sides || (ended = any_ended()); });
  return board_->ready.load() == board_->sides && !ended;
}

bool Sides::run(double seconds) {
  const bool ready = wait_until_ready();
  board_->open.store(1, std::memory_order_release);
  ::syscall(SYS_futex, &board_->open, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  if (!ready) {
    board_->over.store(1);
    fault_ = "not every side became ready";
  }
  const int64_t end_ns = now_ns() + static_cast<int64_t>(seconds * 1e9);
  while (!board_->over.load() && now_ns() < end_ns)
    ::usleep(
        static_cast<useconds_t>(std::min<int64_t>(5'000, std::max<int64_t>((end_ns - now_ns()) / 1'000, 1))));
  board_->over.store(1);
  return reap() && ready;
}

// Who waits for a side that has failed would wait for ever.
bool Sides::reap() {
  size_t failed = SIZE_MAX;
  int status = 0;
  const auto all_ended = [&] {
    bool running = false;
    for (size_t i = 0; i < processes_.size(); ++i) {
      if (processes_[i]->running())
        running = true;
      else if (failed == SIZE_MAX && (status = processes_[i]->wait()) != 0)
        failed = i;
    }
    return !running || failed != SIZE_MAX;
  };
  const bool ended = test::eventually(all_ended);
  if (ended && failed == SIZE_MAX) return true;
  for (auto& process : processes_) process->kill_and_wait();
  if (failed == SIZE_MAX) {
    fault_ = "a side does not end";
    return false;
  }
  fault_ = std::string(board_->names[failed]) + ": " + board_->reports[failed].fault;
  if (board_->reports[failed].fault[0] == '\0') fault_ += "ended with " + std::to_string(status);
  return false;
}

template <class F>
void Sides::each(std::string_view name, F&& f) const {
  for (size_t i = 0; i < board_->sides; ++i)
    if (board_->names[i] == name) f(board_->reports[i]);
}

double Sides::seconds_of(std::string_view name) const {
  int64_t began = INT64_MAX;
  int64_t ended = 0;
  each(name, [&](const SideReport& side) {
    began = std::min(began, side.began_ns);
    ended = std::max(ended, side.ended_ns);
  });
  return ended > began ? static_cast<double>(ended - began) / 1e9 : 0;
}

uint64_t Sides::count_of(std::string_view name) const {
  uint64_t sum = 0;
  each(name, [&](const SideReport& side) { sum += side.count.load(); });
  return sum;
}

uint64_t Sides::extra_of(std::string_view name) const {
  uint64_t sum = 0;
  each(name, [&](const SideReport& side) { sum += side.extra; });
  return sum;
}

double Sides::rate_of(std::string_view name) const {
  const double seconds = seconds_of(name);
  return seconds > 0 ? static_cast<double>(count_of(name)) / seconds : 0;
}

Latency Sides::latency_of(std::string_view name) const {
  Latency all;
  each(name, [&](const SideReport& side) { all.merge(side.latency); });
  return all;
}

}  // namespace pqd::bench
