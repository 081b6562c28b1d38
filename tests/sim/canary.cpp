#include "tests/sim/canary.h"

#include <algorithm>

namespace pqd {

bool canary_planted(std::string_view name);
bool canary_planted(std::string_view name) { return sim::planted(name); }

}  // namespace pqd

namespace pqd::sim {
namespace {

std::string planted_name;

}  // namespace

const std::vector<std::pair<std::string, std::string>>& canaries() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"acknowledged-before-commit", "receipts and watermarks leave when the commit is handed over"},
      {"delivered-before-commit", "deliveries leave when the commit is handed over"},
      {"at-most-once-before-sync", "at-most-once deliveries leave when their commit is written"},
      {"watermark-before-receipt", "a watermark passes a receipt that is not published"},
      {"batch-job-lost", "the last job of an atomic submit is dropped"},
      {"lane-cursor-apart", "lanes are read on from where they were read, not from what the commits say"},
      {"attempt-not-counted", "a delivery does not count as an attempt"},
      {"queue-timeout-during-backoff", "the queue timeout goes on from before the backoff"},
      {"stale-token-accepted", "a settlement counts under any lease of its job"},
      {"at-most-once-redelivered", "an at-most-once job has more than one attempt"},
      {"max-active-off-by-one", "one job more than max_active is given out"},
      {"starvation-guard-ignored", "the guard's dispatch goes by rank, too"},
      {"key-released-early", "a job that is tried again holds back nobody of its key"},
      {"timer-lost-at-restart", "a backoff that stood in the checkpoint never ends"},
      {"credit-leak", "a job that is cancelled while it runs gives no credit back"},
      {"receipt-number-reused", "a verdict has the number of the receipt before it"},
      {"batch-without-its-last", "the last job of a batch is left behind when the others are delivered"},
      {"turn-not-passed-on", "a fair queue does not count the turn that a group has had"},
      {"keys-forgotten-at-checkpoint", "a checkpoint does not take the idempotency keys along"},
      {"checkpoint-before-sync", "a checkpoint goes in while what it stands on may still be lost"},
      {"dead-letter-without-history", "rows do not keep how attempts ended"},
      {"record-let-go-early", "memory lets go of records that no checkpoint covers"},
      {"memory-read-again", "records of which the client knows that they were decided are taken as new ones"},
      {"delivered-before-told", "jobs go out before the watermarks of those who sent them"},
      {"held-behind-what-is-gone", "what stood behind a job of durability memory stays held by its key"},
      {"position-behind-receipts", "what a watermark that waits for receipts has not told yet is read again"},
      {"gap-not-counted", "who watches and is slow hears of a gap of one, however many were left out"},
      {"event-before-commit", "who watches is told what happened when the commit is handed over"},
      {"missed-run-forgotten", "a schedule's run that is made up for late makes no job"},
      {"role-not-asked", "whoever may submit may do it in somebody's name"},
      {"lost-role-kept", "who may not consume any more stays subscribed over a restart"},
      {"missed-runs-all-made-up", "each of the runs that a schedule missed is made up for"},
  };
  return all;
}

bool planted(std::string_view name) { return planted_name == name; }

bool planted_any() { return !planted_name.empty(); }

bool plant(const std::string& name) {
  const bool known =
      std::ranges::any_of(canaries(), [&](const auto& canary) { return canary.first == name; });
  if (known || name.empty()) planted_name = name;
  return known || name.empty();
}

}  // namespace pqd::sim
