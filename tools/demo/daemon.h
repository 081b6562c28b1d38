// The daemon under demonstration: pqd --dev in a directory of its own, and the engine below it.
#pragma once

#include "tools/demo/child.h"
#include "tools/demo/scratch.h"
#include "tools/demo/signals.h"

namespace pqd::demo {

class Daemon {
 public:
  // `program` is pqd's path. Returns at once. The error is a sentence.
  static std::expected<Daemon, std::string> start(const std::string& program, const Scratch& scratch);

  // Until it says that it is ready; ends early with an error when a signal asks for it.
  std::expected<void, std::string> wait_until_ready(Signals& signals);
  const std::string& socket() const { return socket_; }
  const std::string& log() const { return log_; }  // the file that it writes its lines to

  // 0 = none runs just now.
  pid_t engine();
  // SIGKILL, no warning. The process that it was; an error when none runs.
  std::expected<pid_t, std::string> kill_engine();
  bool running() { return child_.running(); }
  // By SIGTERM. The error says how else it ended.
  std::expected<void, std::string> stop();
  // The same, and by SIGKILL if it does not heed; the engine does not outlive it either.
  void end();

 private:
  Daemon(Child child, UniqueFd output, std::string log)
      : child_(std::move(child)), output_(std::move(output)), log_(std::move(log)) {}

  Child child_;
  UniqueFd output_;
  std::string said_;
  std::string socket_;
  std::string log_;
};

}  // namespace pqd::demo
