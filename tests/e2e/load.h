// Producers and consumers in processes of their own, and an oracle outside the daemon: each producer writes
// down every submit that was acknowledged, each consumer every delivery before it settles it. Afterwards the
// test compares both with what the daemon says.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/info.h"
#include "core/submit_record.h"
#include "tests/support/forked.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// On a page that all processes share. Writers: the parent for `stop_submitting` and `stop`, every child
// for the counts. relaxed throughout: nothing else hangs on them.
struct LoadBoard {
  std::atomic<bool> stop_submitting{false};
  std::atomic<bool> stop{false};
  std::atomic<int> connected{0};
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> handled{0};
  std::atomic<uint64_t> moments{0};  // numbers what consumers write down, over all of them
};

struct LoadOptions {
  int producers = 2;
  int consumers = 2;
  uint32_t credits = 64;
  uint32_t window = 200;  // submits of one producer that are not decided yet
  std::string queue = "load";
  pqd::Delivery delivery = pqd::Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint32_t ordering_keys = 0;  // of each producer, taken in turns; 0 = none
  uint16_t max_attempts = 0;   // 0 = as the queue says
  uint32_t backoff_first_ms = kTimeoutDefault;
  bool fail_some = false;  // consumers fail every 16th job's first attempt
};

struct Delivery {
  JobId id;
  uint16_t attempt = 0;
  friend auto operator<=>(const Delivery&, const Delivery&) = default;
};

// What a consumer wrote down: that it got the job, or that it is about to complete it.
struct Deed {
  uint64_t moment = 0;
  JobId id;
  std::string ordering_key;
  bool completes = false;
};

class Load {
 public:
  // Returns when all of them are connected: who has no session yet has nothing to carry on.
  Load(const std::string& socket, const LoadOptions& options);
  ~Load();

  LoadBoard& board() { return *board_; }
  // Until so many more jobs were handled than at the call.
  bool handles(uint64_t more);
  // Producers end, with everything they sent decided; the words of those that failed.
  std::string finish_submitting();
  // Consumers end once every acknowledged job was handled (or the watchdog barks).
  std::string finish();
  // One consumer dies by SIGKILL, another one takes its place: returns when that is connected.
  void replace_consumer(size_t index);

  std::set<JobId> acknowledged() const;
  std::vector<Delivery> deliveries() const;
  // Of all consumers, in the order in which it happened.
  std::vector<Deed> deeds() const;

 private:
  void start_consumer(size_t index);

  std::string socket_;
  LoadOptions options_;
  TempDir directory_;
  LoadBoard* board_;
  std::vector<std::unique_ptr<Forked>> producers_;
  std::vector<std::unique_ptr<Forked>> consumers_;
};

// The jobs of the queue in these states (a bit each, 0 = all); a nameless one when it could not be asked.
std::vector<JobInfo> jobs_of(const std::string& socket, const std::string& queue, uint8_t states);
// The same by id, with their attempts.
std::map<JobId, uint16_t> jobs_in_state(const std::string& socket, const std::string& queue, uint8_t states);

}  // namespace pqd::test
