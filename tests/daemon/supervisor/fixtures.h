// A real supervisor in a process of its own, over a stand-in engine, and clients that speak the real
// handshake.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "daemon/supervisor/supervisor_options.h"
#include "shm/doorbell.h"
#include "shm/handshake.h"
#include "shm/segment.h"
#include "shm/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace pqd::supervisor_test {

// A watchdog, not an expectation.
constexpr WireTimeout kPatience{30'000};

// True as soon as `holds` does; false when the watchdog had to step in.
bool eventually(const std::function<bool()>& holds);

using test::TempDir;

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

// A child that does `work`, then ends with its result; killed with the object, and with its parent.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& work);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // The exit status, or 128 and the signal.
  int wait();

 private:
  pid_t pid_ = -1;
};

// Options for a supervisor that lives in `directory`.
SupervisorOptions options_in(const TempDir& directory, const std::string& engine_words = "");

class RunningSupervisor {
 public:
  // `first` is done in its process, before anything else.
  explicit RunningSupervisor(SupervisorOptions options, const std::function<void()>& first = {});

  // Until the first engine serves; false when it ended instead.
  bool wait_ready();
  void signal(int number) { child_.signal(number); }
  int wait() { return child_.wait(); }
  pid_t pid() const { return child_.pid(); }
  // 0 when it has no engine at the moment.
  pid_t engine_pid() const;
  std::string log() const { return read_text(log_path_); }

 private:
  std::string log_path_;
  std::pair<UniqueFd, UniqueFd> pipe_;  // one byte through it: ready
  ChildProcess child_;
};

UniqueFd connect_to(const std::string& socket_path);

// One session, its files mapped as a client maps them.
class TestClient {
 public:
  // Nothing: it was refused (see `refusal`) or closed.
  static std::optional<TestClient> open(const std::string& socket_path, const Hello& hello = {},
                                        Refusal* refusal = nullptr);

  const Welcome& welcome() const { return accepted_.welcome; }
  const SessionFds& fds() const { return accepted_.fds; }
  const DownSegment& down() const { return down_; }
  UpSegment& up() { return up_; }

  void order(uint64_t what) const;  // rings for the stand-in
  uint64_t epoch() const { return down_.header().engine_epoch.load(); }
  bool closed_by_daemon() const;  // eventually
  void close() { socket_.reset(); }

 private:
  TestClient(UniqueFd socket, Accepted accepted);

  UniqueFd socket_;
  Accepted accepted_;
  UpSegment up_;
  DownSegment down_;
};

// What a client hears to `message`, sent as it is.
std::expected<Reply, WireError> reply_to(const std::string& socket_path, std::span<const std::byte> message);

}  // namespace pqd::supervisor_test
