// Producers, consumers and operators in processes of their own, and an oracle outside the daemon: each writes
// down what it does before the daemon can know of it, and what the daemon answered. Afterwards all of it is
// compared with what the daemon says, see load_history.h. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/info.h"
#include "core/schedule_info.h"
#include "tests/support/load/load_process.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// A daemon's configuration under which nothing holds a load up but memory and disk.
inline constexpr const char* kLoadConfig = R"(
[daemon]
engine_backoff_max = "10ms"
log_level = "warn"
[limits]
rate_limit = 0
[queues.defaults]
max_depth = 100000
max_active = 0
queue_timeout = 0
admission_timeout = "1m"
)";

class Load {
 public:
  // Returns when all of them are connected: who has no session yet has nothing to carry on.
  Load(const std::string& socket, const LoadOptions& options);
  ~Load();

  LoadBoard& board() { return *board_; }
  const LoadOptions& options() const { return options_; }
  const std::string& socket() const { return socket_; }
  // From the first call on producers send no more than was allowed.
  void allow(uint64_t more);
  // Until so many more jobs were handled than at the call.
  bool handles(uint64_t more);
  // Producers end, with everything they sent decided; the words of those that failed.
  std::string finish_submitting();
  // Then operators end, their schedules are taken away, and consumers end once no job is unfinished (or the
  // watchdog barks).
  std::string finish();

  // SIGKILL, SIGSTOP and the like.
  void signal_producer(size_t index, int number) { producers_[index]->signal(number); }
  void signal_consumer(size_t index, int number) { consumers_[index]->signal(number); }
  // Whoever has ended meanwhile has its place taken by another process.
  void restart_the_dead();
  // The dead one's place is taken by another process.
  void restart_producer(size_t index);
  void restart_consumer(size_t index);
  void restart_operator(size_t index);
  // One consumer dies by SIGKILL, another one takes its place: returns when that is connected.
  void replace_consumer(size_t index);

  // To be told after each death of an engine: what is in memory only may be gone.
  void engine_died();

  // REQUIRES: no process of it writes any more.
  const std::string& directory() const { return directory_.path(); }
  std::vector<Deed> deeds() const { return read_deeds(directory_.path()); }
  // Those that there were when operators had ended.
  const std::vector<ScheduleInfo>& schedules() const { return schedules_; }

 private:
  std::string finish_operating();
  void note(Deed deed);
  std::unique_ptr<Forked> start(int (*work)(const Forked::Say&, const LoadProcess&));

  std::string socket_;
  LoadOptions options_;
  TempDir directory_;
  LoadBoard* board_;
  uint32_t started_ = 0;
  std::vector<std::unique_ptr<Forked>> producers_;
  std::vector<std::unique_ptr<Forked>> consumers_;
  std::vector<std::unique_ptr<Forked>> operators_;
  std::vector<ScheduleInfo> schedules_;
};

// The jobs of the queue in these states (a bit each, 0 = all); a nameless one when it could not be asked.
std::vector<JobInfo> jobs_of(const std::string& socket, const std::string& queue, uint8_t states);

}  // namespace pqd::test
