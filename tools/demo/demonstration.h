// One run from the first file to the verdict: starts the processes, hears them, kills two, compares.
#pragma once

#include "bindings/cpp/deadline.h"
#include "tools/demo/client_process.h"
#include "tools/demo/command_line.h"
#include "tools/demo/daemon.h"
#include "tools/demo/report.h"
#include "tools/pqctl/progress.h"

namespace pqd::demo {

class Demonstration {
 public:
  // `bin` is the directory of pqd and pqd-demo. One run each.
  Demonstration(DemoOptions options, std::string bin);

  // The exit status.
  int run();

 private:
  using Step = std::expected<void, std::string>;

  Step prepare();
  Step work();
  Step finish();
  Step start_producers();
  Step start_consumer();
  Step hear(int timeout_ms);
  Step check_children();
  Step act();
  bool all_done();
  void show_progress();
  int fail(const std::string& why);

  DemoOptions options_;
  std::string bin_;
  Signals signals_;
  ctl::Progress progress_;
  std::vector<ListedFile> files_;
  // The order matters: processes end before their directory goes.
  std::optional<Scratch> scratch_;
  UniqueFd errors_;  // where producers and consumers complain
  std::optional<Daemon> daemon_;
  std::vector<ClientProcess> producers_;
  std::vector<ClientProcess> consumers_;
  std::optional<Client> client_;
  std::optional<Tally> tally_;
  std::optional<Verdict> verdict_;
  KnownJobs jobs_;
  Kills kills_;
  pid_t killed_engine_ = 0;
  bool second_half_ = false;
  Deadline stalled_ = Deadline::in(Deadline::Milliseconds(-1));
  Deadline ask_again_ = Deadline::in(Deadline::Milliseconds(0));
  std::chrono::steady_clock::time_point started_;
};

}  // namespace pqd::demo
