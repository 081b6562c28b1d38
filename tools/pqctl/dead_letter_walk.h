// Going through the dead letters that somebody chose, a page at a time, however many there are. One thread.
#pragma once

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

class DeadLetterWalk {
 public:
  // Oldest life first. Those that die while it goes on are not met, so that a job that fails again at once is
  // met once. REQUIRES: `choice` names no single job, and lives as long as the walk.
  static Checked<DeadLetterWalk> begin(Client& client, const DeadLetterChoice& choice);

  // The next ones, at most `limit`, which is at most limits::kDeadLetterPageMax; none = the end.
  Checked<std::vector<JobId>> next(uint32_t limit);

  // How many there are, as far as that is known without counting; 0 = it is not.
  uint64_t expected() const { return expected_; }

 private:
  explicit DeadLetterWalk(Client& client) : client_(&client) {}

  Client* client_;
  ListFilter filter_;
  TimeNs died_until_ns_ = 0;   // not after
  TimeNs died_before_ns_ = 0;  // 0 = whenever
  uint64_t expected_ = 0;
  bool ended_ = false;
};

// kExitUsage unless `choice` says either one job or which of them. `verb` is the command's.
Checked<void> check_choice(std::string_view verb, const DeadLetterChoice& choice);

// Counts what the walk meets, to the end.
Checked<uint64_t> count_dead_letters(Client& client, const DeadLetterChoice& choice);

}  // namespace pqd::ctl
