#include "tests/support/daemon.h"

#include <signal.h>

#include <algorithm>
#include <iostream>

#include "tests/support/descriptor_keeper.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr std::string_view kReady = "pqd is ready: PQD_SOCKET=";
constexpr const char* kEngineName = "pqd-engine";
constexpr size_t kShownLogBytes = 4'000;

// The sanitizers' own words.
bool reports_an_error(const std::string& log) {
  for (const char* words : {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
                            ": runtime error: ", "Sanitizer:DEADLYSIGNAL"}) {
    if (log.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Daemon::Daemon(std::string config, std::vector<std::string> environment, std::string programs)
    : socket_(directory_.path("pqd/pqd.sock")),
      environment_(std::move(environment)),
      programs_(programs.empty() ? PQD_BIN_DIR : std::move(programs)) {
  configure(config);
}

void Daemon::configure(const std::string& config) { write_file(directory_.path("pqd.toml"), config); }

Daemon::~Daemon() {
  stop();
  if (!testing::Test::HasFailure()) return;
  const std::string all = log();
  std::cerr << "The daemon's log ends with:\n"
            << all.substr(all.size() - std::min(all.size(), kShownLogBytes)) << std::flush;
}

testing::AssertionResult Daemon::start() {
  if (running()) return testing::AssertionFailure() << "the daemon runs already";
  note_end();
  std::vector<std::string> environment = environment_;
  std::vector<int> descriptors;
  if (keeper_ != nullptr) {
    std::ranges::copy(keeper_->environment(), std::back_inserter(environment));
    descriptors = keeper_->descriptors();
  }
  program_ =
      std::make_unique<Program>(std::vector<std::string>{programs_ + "/pqd", "--dev", "--dir", directory(),
                                                         "--config", directory_.path("pqd.toml")},
                                environment, "", descriptors);
  if (program_->says(std::string(kReady))) {
    const std::string out = program_->out();
    const size_t at = out.find(kReady) + kReady.size();
    socket_ = out.substr(at, out.find('\n', at) - at);
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "the daemon is not ready; it said:\n"
                                     << program_->out() << program_->err();
}

void Daemon::stop() {
  if (program_ == nullptr) return;
  thaw_engine();
  program_->signal(SIGTERM);
  const int exit = program_->wait();
  EXPECT_EQ(exit, 0) << "of the daemon";
  note_end();
}

void Daemon::kill() {
  if (program_ == nullptr) return;
  const pid_t engine = child_named(pid(), kEngineName);
  // A frozen engine dies as it is: thawed, it would go on for a moment.
  frozen_ = 0;
  program_->signal(SIGKILL);
  program_->wait();
  // The kernel kills it with its parent, but not at the same instant; its files are free only afterwards.
  EXPECT_TRUE(engine == 0 || eventually([&] { return !is_alive(engine); })) << "the engine lives on";
  note_end();
}

void Daemon::note_end() {
  if (program_ == nullptr) return;
  const std::string said = program_->err();
  EXPECT_FALSE(reports_an_error(said)) << said;
  earlier_log_ += said;
  program_.reset();
}

pid_t Daemon::engine() {
  pid_t found = 0;
  eventually([&] { return (found = child_named(pid(), kEngineName)) != 0 || !running(); });
  return found;
}

pid_t Daemon::kill_engine() {
  const pid_t engine = this->engine();
  if (engine == 0) {
    ADD_FAILURE() << "the daemon has no engine to kill";
    return 0;
  }
  frozen_ = 0;
  ::kill(engine, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_alive(engine); })) << "the engine survives SIGKILL";
  return engine;
}

testing::AssertionResult Daemon::freeze_engine() {
  const pid_t engine = this->engine();
  if (engine == 0 || ::kill(engine, SIGSTOP) != 0)
    return testing::AssertionFailure() << "no engine to freeze";
  frozen_ = engine;
  if (becomes_stopped(engine)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the engine does not stop";
}

void Daemon::thaw_engine() {
  if (frozen_ != 0 && child_named(pid(), kEngineName) == frozen_) ::kill(frozen_, SIGCONT);
  frozen_ = 0;
}

std::string Daemon::log() const { return earlier_log_ + (program_ != nullptr ? program_->err() : ""); }

}  // namespace pqd::test
