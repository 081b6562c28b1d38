// The broker's limit of submits per user: looked at before a submit is taken, charged once it is.
#include <algorithm>

#include "core/broker.h"

namespace pqd {
namespace {

constexpr int64_t kWaitMsMax = UINT32_MAX;

}  // namespace

// Nothing: this user may submit as fast as it can. In somebody's name the limit is that one's.
std::optional<RateUser> Broker::rated_user(const Candidate& candidate) const {
  if (candidate.origin.session == 0) return std::nullopt;  // a schedule's
  const uint32_t uid = candidate.owner_uid;
  const std::string_view subject = candidate.view.subject;
  if (options_.rate_limit == 0 || (subject.empty() && is_admin(uid))) return std::nullopt;
  return RateUser(uid, subject);
}

void Broker::examine_rate(Candidate& candidate, uint64_t count) const {
  // One that is sent again while it waits for room was charged when it came first.
  const auto user = candidate.replaces == 0 ? rated_user(candidate) : std::nullopt;
  if (!user) return;
  const auto wait = RateLimit(options_.rate_limit).wait_ns(state_.tables.rates.tat(*user), now(), count);
  if (wait == 0) return;
  candidate.error = Error::kRateLimitExceeded;
  const int64_t wait_ms = (wait.value_or(0) + kMillisecondNs - 1) / kMillisecondNs;
  candidate.retry_after_ms = static_cast<uint32_t>(std::min(wait_ms, kWaitMsMax));
}

// All or none, like the batch: what counts for each user is all that it has in there.
void Broker::examine_batch_rate(std::span<Candidate> batch) const {
  if (options_.rate_limit == 0) return;
  std::map<RateUser, std::pair<Candidate*, uint64_t>> counts;
  for (Candidate& candidate : batch) {
    if (candidate.error != Error::kOk) return;
    if (candidate.duplicate) continue;
    const auto user = rated_user(candidate);
    if (!user) continue;
    auto& [first, count] = counts[*user];
    if (first == nullptr) first = &candidate;
    ++count;
  }
  for (const auto& [user, counted] : counts) {
    examine_rate(*counted.first, counted.second);
    if (counted.first->error == Error::kOk) continue;
    for (Candidate& candidate : batch) candidate.retry_after_ms = counted.first->retry_after_ms;
    return;
  }
}

void Broker::charge_rate(const Candidate& candidate) {
  const auto user = rated_user(candidate);
  if (!user) return;
  const TimeNs tat = RateLimit(options_.rate_limit).charged(state_.tables.rates.tat(*user), now(), 1);
  emit(RateCharged{user->first, user->second, tat});
}

// A submit that waited for room and found none is no job, and costs nothing.
void Broker::refund_rate(Slot parked) {
  if (options_.rate_limit == 0) return;
  const Job& job = state_.jobs[parked];
  const auto submit = read_submit_record(state_.blocks.view(job.record));
  if (!submit || (submit->subject.empty() && is_admin(job.core.owner_uid))) return;
  const RateUser user(job.core.owner_uid, submit->subject);
  const TimeNs tat = state_.tables.rates.tat(user);
  if (tat != 0) emit(RateCharged{user.first, user.second, RateLimit(options_.rate_limit).refunded(tat, 1)});
}

}  // namespace pqd
