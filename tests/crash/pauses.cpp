#include "tests/crash/pauses.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "bindings/cpp/client.h"
#include "shm/unique_fd.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

using Clock = std::chrono::steady_clock;

// A death comes somewhere among so many rounds: soon after the last one, or some checkpoints later.
constexpr uint64_t kRoundsBefore = 600;
constexpr uint64_t kRoundsAfter = 20;

constexpr const char* kConfig = R"(
[daemon]
engine_backoff_max = "10ms"
log_level = "info"
[queues.defaults]
max_depth = 100000000
max_bytes = "64GiB"
queue_timeout = 0
)";

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// A client that submits a job, works on it, and does it again, and knows when each was acknowledged.
class Trickle {
 public:
  explicit Trickle(const std::string& socket) : thread_([this, socket] { run(socket); }) {}
  ~Trickle() {
    over_ = true;
    thread_.join();
  }

  uint64_t rounds() const { return rounds_; }
  // False: it failed, or the watchdog barked.
  bool goes_on(uint64_t more) {
    const uint64_t wanted = rounds_ + more;
    eventually([&] { return rounds_ >= wanted || failed_; });
    return rounds_ >= wanted;
  }
  // The longest time without an acknowledgement since the last call.
  double take_longest_ms() {
    const std::lock_guard lock(mutex_);
    return std::exchange(longest_ms_, 0);
  }
  std::string fault() const {
    const std::lock_guard lock(mutex_);
    return fault_;
  }

 private:
  void run(const std::string& socket) {
    auto client = Client::connect({.socket = socket});
    if (!client) return fail(client.error().text);
    if (auto subscribed = client->subscribe({.queue = "trickle"}); !subscribed)
      return fail(subscribed.error().text);
    for (last_ = Clock::now(); !over_; ++rounds_)
      if (!round(*client)) return;
  }
  bool round(Client& client) {
    const auto ticket = client.submit({.type = "t", .queue = "trickle"});
    if (!ticket) return refuse(ticket.error().text);
    if (const auto done = client.wait(*ticket, kWatchdog); !done) return refuse(done.error().text);
    acknowledged();
    const auto job = client.next(kWatchdog);
    if (!job || !*job) return refuse(job ? "no job comes" : job.error().text);
    const auto completed = client.complete(**job);
    if (!completed) return refuse(completed.error().text);
    if (const auto done = client.wait(*completed, kWatchdog); !done) return refuse(done.error().text);
    acknowledged();
    return true;
  }
  void acknowledged() {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    longest_ms_ = std::max(longest_ms_, ms_between(last_, now));
    last_ = now;
  }
  bool refuse(const std::string& why) {
    fail(why);
    return false;
  }
  void fail(const std::string& why) {
    {
      const std::lock_guard lock(mutex_);
      fault_ = why;
    }
    failed_ = true;
  }

  Clock::time_point last_;  // of the thread
  std::atomic<uint64_t> rounds_{0};
  std::atomic<bool> over_{false};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;  // guards the following
  double longest_ms_ = 0;
  std::string fault_;
  std::thread thread_;
};

std::string submit_backlog(const std::string& socket, const PausePlan& plan) {
  auto client = Client::connect({.socket = socket});
  if (!client) return client.error().text;
  std::mt19937_64 random(plan.seed);
  Bytes payload(plan.payload_bytes);
  for (uint64_t i = 0; i < plan.jobs; ++i) {
    // Nothing that could be compressed.
    for (std::byte& byte : payload) byte = static_cast<std::byte>(random());
    const auto ticket = client->submit({.type = "backlog", .queue = "backlog", .payload = payload});
    if (!ticket) return ticket.error().text;
  }
  const auto flushed = client->flush(kForever);
  if (!flushed) return flushed.error().text;
  return flushed->refused == 0 ? "" : std::to_string(flushed->refused) + " jobs of the backlog were refused";
}

// Of its pages none is in memory afterwards, as long as all are on the disk.
void forget_files(const std::string& directory) {
  ::sync();
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (!file.is_regular_file()) continue;
    const UniqueFd fd(::open(file.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

uint64_t bytes_under(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code gone;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory))
    if (file.is_regular_file(gone)) bytes += file.file_size(gone);
  return bytes;
}

// A line of /proc/PID/status, such as "VmRSS:", in bytes.
uint64_t memory_of(pid_t pid, const std::string& name) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == name && status >> kib) return kib << 10;
  }
  return 0;
}

class PauseCampaign {
 public:
  explicit PauseCampaign(const PausePlan& plan) : plan_(plan), random_(plan.seed) {}

  PauseReport run() {
    if (const auto started = daemon_.start(); !started) return broken(started.message());
    if (const std::string fault = submit_backlog(daemon_.socket(), plan_); !fault.empty())
      return broken(fault);
    if (kill_engines()) start_anew();
    read_log();
    report_.engine_bytes = memory_of(daemon_.engine(), "VmRSS:");
    report_.engine_bytes_peak = memory_of(daemon_.engine(), "VmHWM:");
    report_.store_bytes = bytes_under(daemon_.directory());
    return std::move(report_);
  }

 private:
  PauseReport broken(const std::string& what) {
    report_.fault = what;
    return std::move(report_);
  }

  bool kill_engines() {
    Trickle trickle(daemon_.socket());
    for (uint64_t i = 0; i < plan_.kills; ++i) {
      bool goes_on = trickle.goes_on(kRoundsAfter + random_() % kRoundsBefore);
      trickle.take_longest_ms();
      daemon_.kill_engine();
      goes_on = goes_on && trickle.goes_on(kRoundsAfter);
      if (!goes_on) {
        broken("the client stands still: " + trickle.fault());
        return false;
      }
      report_.pauses_ms.push_back(trickle.take_longest_ms());
    }
    read_recoveries();
    return true;
  }

  void start_anew() {
    for (uint64_t i = 0; i < plan_.starts; ++i) {
      daemon_.kill();
      forget_files(daemon_.directory());
      const auto start = Clock::now();
      if (const auto started = daemon_.start(); !started) {
        broken(started.message());
        return;
      }
      report_.starts_ms.push_back(ms_between(start, Clock::now()));
    }
  }

  // "recovered: commit 12, 1000000 jobs, 3 commits read again, 640 ms"
  template <class F>
  void each_recovery(F&& f) const {
    std::istringstream log(daemon_.log());
    for (std::string line; std::getline(log, line);) {
      const size_t at = line.find("recovered: commit ");
      unsigned long commit = 0, jobs = 0, commits = 0, ms = 0;
      if (at != std::string::npos &&
          std::sscanf(line.c_str() + at, "recovered: commit %lu, %lu jobs, %lu commits read again, %lu ms",
                      &commit, &jobs, &commits, &ms) == 4)
        f(jobs, ms);
    }
  }
  void read_recoveries() {
    each_recovery(
        [this](uint64_t, uint64_t ms) { report_.recoveries_ms.push_back(static_cast<double>(ms)); });
    // The first one was of an empty store.
    if (!report_.recoveries_ms.empty()) report_.recoveries_ms.erase(report_.recoveries_ms.begin());
  }
  void read_log() {
    each_recovery([this](uint64_t jobs, uint64_t) { report_.live_jobs = jobs; });
  }

  const PausePlan& plan_;
  PauseReport report_;
  std::mt19937_64 random_;
  Daemon daemon_{kConfig};
};

}  // namespace

double percentile(std::vector<double> figures, unsigned hundredths) {
  if (figures.empty()) return 0;
  std::sort(figures.begin(), figures.end());
  const size_t rank = (figures.size() * hundredths + 99) / 100;
  return figures[std::max<size_t>(rank, 1) - 1];
}

PauseReport measure_pauses(const PausePlan& plan) { return PauseCampaign(plan).run(); }

}  // namespace pqd::test
