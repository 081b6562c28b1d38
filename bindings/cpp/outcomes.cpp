#include "bindings/cpp/outcomes.h"

#include <algorithm>
#include <tuple>

namespace pqd {
namespace {

Failure forgotten() {
  return {Error::kUnknownOutcome,
          "this outcome was asked for too late and is forgotten; look the job up by its id", 0};
}

// The first job's state, as a duplicate's receipt tells it.
std::optional<JobState> state_in(uint8_t flags) {
  const unsigned told = (flags & kReceiptStateMask) >> kReceiptStateShift;
  return told == 0 ? std::nullopt : std::optional(static_cast<JobState>(told - 1));
}

Failure waited_elsewhere() {
  return {Error::kUnknownOutcome,
          "it waited for room in its queue when the daemon went away, and the one that is there now has "
          "another store: it may have been taken where it waited; look there, or submit it again",
          0};
}

Failure refused_submit(Error code, uint32_t retry_after_ms) {
  if (code == Error::kRateLimitExceeded && retry_after_ms == 0) {
    return {code,
            "so many submits at once are more than this user's limit a minute; send them in smaller parts",
            0};
  }
  if (code == Error::kUnknownOutcome) {
    return {code,
            "the daemon died before it answered: this job is in memory only and may run once at most, so "
            "that it was not "
            "sent again; it may have run, or it will not",
            0};
  }
  return code == Error::kInvalidRequest ? refused_names() : failure_of(code, retry_after_ms);
}

}  // namespace

Failure refused_names() {
  return {Error::kInvalidRequest,
          "the daemon refused it: a field is out of its range, or it names a new queue or type and there are "
          "4096 queues or 65536 types already, the most there can be, or this user has named 1024 queues or "
          "16384 types, the most one may; use one of those",
          0};
}

void ClientOutcomes::take(const Receipt& receipt, ClientCounters& counters) {
  if (receipt.lane >= kLaneCount) return;
  const Key key{receipt.sequence, generation_, receipt.lane};
  const JobId id{receipt.job_high, receipt.job_low};
  if ((receipt.flags & kReceiptDeferred) != 0) {
    deferred_.emplace(key, id);
    return;
  }
  if ((receipt.flags & kReceiptVerdict) != 0) deferred_.erase(key);
  const Verdict verdict{receipt.code < kErrorCount ? static_cast<Error>(receipt.code) : Error::kSystemError,
                        (receipt.flags & kReceiptDuplicate) != 0, state_in(receipt.flags),
                        receipt.retry_after_ms, id};
  // Accepted as sent needs no remembering: the watermark says so.
  if (verdict.code != Error::kOk || verdict.duplicate) keep(key, verdict, counters);
}

void ClientOutcomes::sent_command(uint64_t sequence, uint64_t decided) {
  while (!commands_.empty() && commands_.front() <= decided) commands_.pop_front();
  commands_.push_back(sequence);
}

void ClientOutcomes::count_refusal(const Key& key, Error code, ClientCounters& counters) {
  const bool submit = key.lane < kSubmitLaneCount;
  if (!submit && std::ranges::binary_search(commands_, key.sequence)) return;
  (submit ? counters.submits_refused : counters.settlements_refused) += 1;
  if (refusals_.refused++ == 0) refusals_.first = code;
}

void ClientOutcomes::keep(const Key& key, const Verdict& verdict, ClientCounters& counters) {
  if (verdict.code != Error::kOk) count_refusal(key, verdict.code, counters);
  if (verdicts_.insert_or_assign(key, verdict).second) verdict_order_.push_back(key);
  while (verdict_order_.size() > kVerdictsMax) {
    const Key oldest = verdict_order_.front();
    verdict_order_.pop_front();
    if (verdicts_.erase(oldest) != 0) forgotten_[oldest.lane] = oldest;
  }
}

void ClientOutcomes::advance(MovedRecords moved, const MovedRecords& given_up, bool same_store,
                             ClientCounters& counters) {
  // What is sent again is decided again: a verdict whose watermark never came does not count.
  for (uint8_t lane = 0; lane < kLaneCount; ++lane) {
    for (const uint64_t sequence : moved[lane]) {
      verdicts_.erase({sequence, generation_, lane});
      deferred_.erase({sequence, generation_, lane});
    }
  }
  for (uint8_t lane = 0; lane < kLaneCount; ++lane) {
    for (const uint64_t sequence : given_up[lane]) {
      deferred_.erase({sequence, generation_, lane});
      keep({sequence, generation_, lane}, {Error::kUnknownOutcome, false, std::nullopt, 0, {}}, counters);
    }
  }
  const std::vector<uint64_t>& control = moved[lane_index(Lane::kControl)];
  std::deque<uint64_t> commands;
  for (size_t i = 0; i < control.size(); ++i)
    if (std::ranges::binary_search(commands_, control[i])) commands.push_back(i + 1);
  commands_ = std::move(commands);
  for (const auto& [key, id] : std::exchange(deferred_, {})) orphans_.emplace(key, Orphan{id});
  if (!same_store)
    for (auto& [key, orphan] : orphans_) orphan.same_store = false;
  moved_.push_back(std::move(moved));
  if (moved_.size() > kGenerationsMax) moved_.pop_front();
  ++generation_;
}

bool ClientOutcomes::follow(Key& key) const {
  const size_t back = generation_ - key.generation;  // 1 = the connection before the current one
  const auto& sequences = moved_[moved_.size() - back][key.lane];
  const auto found = std::lower_bound(sequences.begin(), sequences.end(), key.sequence);
  if (found == sequences.end() || *found != key.sequence) return false;
  key.sequence = static_cast<uint64_t>(found - sequences.begin()) + 1;
  ++key.generation;
  return true;
}

bool ClientOutcomes::was_forgotten(const Key& key) const {
  const Key& last = forgotten_[key.lane];
  return std::tie(key.generation, key.sequence) <= std::tie(last.generation, last.sequence);
}

std::optional<Result<Outcome>> ClientOutcomes::decide(const Ticket& ticket,
                                                      const ClientSession& session) const {
  Key key{ticket.sequence, ticket.generation, ticket.lane};
  const auto durability = static_cast<size_t>(ticket.durability);
  if (key.sequence == 0 || key.lane >= kLaneCount || key.generation == 0 || key.generation > generation_ ||
      durability >= kDurabilityCount) {
    return std::unexpected(foreign_ticket());
  }
  if (generation_ - key.generation > moved_.size()) return std::unexpected(forgotten());
  while (key.generation < generation_ && follow(key)) {
  }
  if (key.generation == generation_) {
    const auto& lane = session.lanes[key.lane];
    if (key.sequence > lane.sent) return std::unexpected(foreign_ticket());
    if (lane.marks[durability] < key.sequence) return std::nullopt;
  }
  if (deferred_.contains(key) || orphans_.contains(key)) return std::nullopt;
  if (const auto found = verdicts_.find(key); found != verdicts_.end()) {
    const Verdict& verdict = found->second;
    if (verdict.code != Error::kOk) {
      if (verdict.code == Error::kUnknownOutcome && verdict.waited_for_room)
        return std::unexpected(waited_elsewhere());
      const auto refused = key.lane < kSubmitLaneCount ? refused_submit : failure_of;
      return std::unexpected(refused(verdict.code, verdict.retry_after_ms));
    }
    // A record that was sent again and had been taken the first time is a duplicate of itself: for its sender
    // it was simply accepted.
    if (!verdict.duplicate || verdict.id == ticket.id) return Outcome{verdict.id, false};
    return Outcome{verdict.id, true, verdict.state};
  }
  if (was_forgotten(key)) return std::unexpected(forgotten());
  return Outcome{ticket.id, false};
}

std::vector<std::pair<ClientOutcomes::Key, JobId>> ClientOutcomes::orphans() const {
  std::vector<std::pair<Key, JobId>> all;
  all.reserve(orphans_.size());
  for (const auto& [key, orphan] : orphans_) all.emplace_back(key, orphan.id);
  return all;
}

void ClientOutcomes::orphan_not_found(const Key& key, ClientCounters& counters) {
  const auto found = orphans_.find(key);
  if (found == orphans_.end()) return;
  const auto [id, same_store] = found->second;
  orphans_.erase(found);
  Verdict verdict{same_store ? Error::kQueueFull : Error::kUnknownOutcome, false, std::nullopt, 0, id};
  // As the daemon says it of a full queue.
  if (same_store) verdict.retry_after_ms = kAwayRetryMs;
  verdict.waited_for_room = true;
  keep(key, verdict, counters);
}

}  // namespace pqd
