// Ours, as every row but the raw lane's measures it: a real daemon in a private directory with all it does
// by default, an audit trail, idempotency and a rate limit for this user included; only the limits that would
// refuse or hold back jobs are out of the way.
#pragma once

#include <string>
#include <vector>

#include "bindings/cpp/client.h"
#include "tests/bench/comparison.h"
#include "tests/bench/plan.h"
#include "tests/bench/sides.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::bench {

class OwnDaemon {
 public:
  // `engine`: lines of its table [engine]. `rated`: this user has a rate limit, which the daemon's own does
  // not have by itself.
  explicit OwnDaemon(const std::string& engine = {}, bool rated = true);

  // "" = ready, or why not.
  std::string start();
  test::Daemon& daemon() { return daemon_; }
  const std::string& socket() const { return daemon_.socket(); }

 private:
  test::Daemon daemon_;
};

inline constexpr std::string_view kOwnSetting =
    "default configuration but for depth, bytes, waiting time and jobs in hand, which have no limit, and a "
    "rate limit "
    "of 100 M a minute";

inline constexpr std::string_view kUnratedSetting =
    "default configuration, whose rate limit is not for the daemon's own user, but for depth, bytes, waiting "
    "time and jobs in hand, which have no limit";

// For sides: these end the measurement when they do not work.
Client connect_or_fail(Side& side, const std::string& socket, Durability durability);
Ticket submit_or_fail(Side& side, Client& client, const SubmitRequest& request);
void flush_or_fail(Side& side, Client& client);  // a refusal is a failure
void subscribe_or_fail(Side& side, Client& client, std::string_view queue, uint32_t credits);
// The next job within `timeout`, if any.
std::optional<DeliveredJob> next_or_fail(Side& side, Client& client, Milliseconds timeout);
void complete_or_fail(Side& side, Client& client, const DeliveredJob& job);

// The time of its submit, at the beginning of a payload.
void stamp(Bytes& payload);
int64_t stamped_ns(const DeliveredJob& job);
// Takes and completes jobs until it is over; how long each took from its stamp is this side's latency.
// `patience`: of each look for the next.
void time_and_complete(Side& side, Client& client, Milliseconds patience);

// Nothing that a disk or a database could make smaller. `seed`: another content.
Bytes random_payload(size_t bytes, uint64_t seed);

// Nanoseconds that the threads of a process have been running on a CPU; 0 when it is gone.
uint64_t cpu_ns_of(pid_t pid);
// A line of /proc/PID/status, such as "RssAnon:", in bytes.
uint64_t status_bytes_of(pid_t pid, const std::string& name);

// `once` adds figures to the line, and returns "" or why it could not.
template <class Once>
void repeat(const Plan& plan, Line& line, Once&& once) {
  for (unsigned i = 0; i < plan.repeats && line.fault.empty(); ++i) line.fault = once(line);
}
inline void add_latency(Line& line, const Latency& latency) {
  if (!line.latency) line.latency.emplace();
  line.latency->merge(latency);
}

}  // namespace pqd::bench
