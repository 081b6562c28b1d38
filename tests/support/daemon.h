// A real pqd (supervisor and engine) in a directory of its own, for tests that end only what they started.
//
//   Daemon daemon;
//   ASSERT_TRUE(daemon.start());
//   auto client = Client::connect({.socket = daemon.socket()});
//   daemon.kill_engine();                      // the supervisor starts another one
//   daemon.kill(); ASSERT_TRUE(daemon.start()) // a power-cut for the processes; the directory is kept
//
// The destructor stops it and fails the test when it does not end with 0, or when a sanitizer reported
// something; a test that has failed shows the end of the daemon's log. Owner: one thread, which outlives it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

class DescriptorKeeper;

class Daemon {
 public:
  // `config`: TOML, "" = every default. `environment`: "NAME=value", over our own. `programs`: where another
  // pqd lies with its engine beside it; "" = those of the build.
  explicit Daemon(std::string config = {}, std::vector<std::string> environment = {},
                  std::string programs = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // From the next start on it is a service of this one, which outlives it; null = of nobody.
  void serve_under(DescriptorKeeper* keeper) { keeper_ = keeper; }
  // Starts it on its directory and waits until it is ready. REQUIRES: not running.
  testing::AssertionResult start();
  // For the next start.
  void configure(const std::string& config);
  // By SIGTERM: expects exit status 0.
  void stop();
  // By SIGKILL, the engine with it; returns when both are gone.
  void kill();

  // The engine's process, waited for; 0 when there is none under the watchdog.
  pid_t engine();
  // By SIGKILL; returns its pid once it is gone. The supervisor starts the next one by itself.
  pid_t kill_engine();
  // By SIGSTOP and SIGCONT: an engine that is there and does nothing. stop() thaws first; kill()
  // and kill_engine() end it as it is.
  testing::AssertionResult freeze_engine();
  void thaw_engine();

  // Its exit status, once it has ended by itself. REQUIRES: started
  int exit() { return program_->wait(); }
  bool running() const { return program_ != nullptr && program_->running(); }
  pid_t pid() const { return program_->pid(); }  // REQUIRES: started
  const std::string& socket() const { return socket_; }
  // "PQD_SOCKET=...", for a Program's environment.
  std::string socket_variable() const { return "PQD_SOCKET=" + socket_; }
  std::string directory() const { return directory_.path("pqd"); }
  // What it wrote to stderr, over all its lives.
  std::string log() const;

 private:
  void note_end();

  TempDir directory_;
  std::string socket_;
  std::vector<std::string> environment_;
  std::string programs_;
  std::string earlier_log_;
  DescriptorKeeper* keeper_ = nullptr;
  std::unique_ptr<Program> program_;
  pid_t frozen_ = 0;
};

// A test with a daemon that has started with all defaults.
class WithDaemon : public testing::Test {
 protected:
  WithDaemon() = default;
  explicit WithDaemon(std::string config) : daemon_(std::move(config)) {}
  void SetUp() override { ASSERT_TRUE(daemon_.start()); }

  Daemon daemon_;
};

}  // namespace pqd::test
