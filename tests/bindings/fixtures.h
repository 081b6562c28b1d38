// A client over a real daemon, and short words for what tests of it say often.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <string>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd {

inline void PrintTo(Error error, std::ostream* out) { *out << error_name(error); }
inline void PrintTo(JobState state, std::ostream* out) { *out << state_name(state); }
inline void PrintTo(Reason reason, std::ostream* out) { *out << reason_name(reason); }
inline void PrintTo(const JobId& id, std::ostream* out) { *out << id.to_string(); }

}  // namespace pqd

namespace pqd::test {

inline constexpr Milliseconds kPatience{kWatchdog};
// For what must not happen: long enough to see it if it did, on an idle machine.
inline constexpr Milliseconds kNotAtAll{50};

// kOk when it worked.
template <class T>
Error error_of(const Result<T>& result) {
  return result ? Error::kOk : result.error().error;
}
template <class T>
std::string text_of(const Result<T>& result) {
  return result ? "" : result.error().text;
}
inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Who dials `path` comes to `socket` from now on.
inline void lead(const std::string& path, const std::string& socket) {
  std::filesystem::create_symlink(socket, path + ".new");
  std::filesystem::rename(path + ".new", path);
}

class WithClient : public WithDaemon {
 protected:
  using WithDaemon::WithDaemon;
  void SetUp() override {
    WithDaemon::SetUp();
    if (!HasFatalFailure()) client_.emplace(connect());
  }

  Client connect(ConnectOptions options = {}) {
    options.socket = daemon_.socket();
    auto client = Client::connect(options);
    if (!client) {
      ADD_FAILURE() << client.error().text;
      std::abort();
    }
    return std::move(*client);
  }
  Client& client() { return *client_; }

  // Submitted and durable.
  JobId submit(const SubmitRequest& request) { return submit(*client_, request); }
  static JobId submit(Client& by, const SubmitRequest& request) {
    const auto ticket = by.submit(request);
    EXPECT_EQ(error_of(ticket), Error::kOk) << text_of(ticket);
    if (!ticket) return {};
    const auto outcome = by.wait(*ticket, kPatience);
    EXPECT_EQ(error_of(outcome), Error::kOk) << text_of(outcome);
    return ticket->id;
  }
  // The next job, which has to come.
  static DeliveredJob take(Client& from) {
    auto job = from.next(kPatience);
    EXPECT_EQ(error_of(job), Error::kOk) << text_of(job);
    EXPECT_TRUE(job && *job) << "no job came";
    return job && *job ? std::move(**job) : DeliveredJob();
  }
  // Settled and durable, or why not.
  static Error decided(Client& by, const Result<Ticket>& ticket) {
    return ticket ? error_of(by.wait(*ticket, kPatience)) : error_of(ticket);
  }
  // Its event loop comes to a sleep that nothing ends. Armed afterwards.
  static bool falls_asleep(Client& client) {
    pollfd wanted{client.fd(), POLLIN, 0};
    return eventually([&] {
      const auto processed = client.process();
      EXPECT_EQ(error_of(processed), Error::kOk) << text_of(processed);
      return client.arm() && ::poll(&wanted, 1, static_cast<int>(kNotAtAll.count())) == 0;
    });
  }
  // By its event loop's calls alone, whatever was there to take in.
  static bool reconnects(Client& client, uint64_t times = 1) {
    return eventually([&] { return client.process() && client.counters().reconnects == times; });
  }
  // What `by` sees of the job; everything empty when it sees nothing.
  JobInfo look(const JobId& id) {
    auto info = client_->get(id);
    EXPECT_EQ(error_of(info), Error::kOk) << text_of(info);
    return info ? std::move(*info) : JobInfo();
  }
  JobState state(const JobId& id) { return look(id).core.state; }
  bool becomes(const JobId& id, JobState wanted) {
    return eventually([&] { return state(id) == wanted; });
  }

  std::optional<Client> client_;
};

}  // namespace pqd::test
