// What the processes of a load run, until the board says stop; what they did is in their log.
#pragma once

#include <atomic>

#include "bindings/cpp/client.h"
#include "tests/support/forked.h"
#include "tests/support/load/deed.h"
#include "tests/support/load/load_job.h"

namespace pqd::test {

// On a page that all processes share. Writers: the parent for `stop...` and `allowed`, every child for the
// counts. relaxed throughout: nothing else hangs on them.
struct LoadBoard {
  std::atomic<bool> stop_submitting{false};
  std::atomic<bool> stop_operating{false};
  std::atomic<bool> stop{false};
  std::atomic<int> connected{0};
  std::atomic<uint64_t> allowed{UINT64_MAX};  // submits of all producers
  std::atomic<uint64_t> claimed{0};           // of these
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> handled{0};  // settlements that were sent
  std::atomic<uint64_t> moments{0};  // numbers what is written down
};

struct LoadProcess {
  const std::string& socket;
  const LoadOptions& options;
  LoadBoard& board;
  uint32_t who = 0;
  const std::string& log;
};

// The exit codes of all; what went wrong is said.
inline constexpr int kLoadGood = 0;
inline constexpr int kLoadBad = 1;
int produce(const Forked::Say& say, const LoadProcess& process);
int consume(const Forked::Say& say, const LoadProcess& process);
int operate(const Forked::Say& say, const LoadProcess& process);

// Shared by all. The daemon may be away or die just then: it is tried again under the watchdog.
Result<Client> load_client(const std::string& socket, const char* name);
int load_failed(const Forked::Say& say, const std::string& what, const Failure& failure);

}  // namespace pqd::test
