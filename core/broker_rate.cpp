// The broker's limit of submits per user: looked at before a submit is taken, charged once it is.
#include <algorithm>
#include <utility>

#include "core/broker.h"

namespace pqd {
namespace {

constexpr int64_t kWaitMsMax = UINT32_MAX;

}  // namespace

// Nothing: this user may submit as fast as it can. In somebody's name the limit is that one's.
std::optional<Broker::Rated> Broker::rated(uint32_t uid, std::string_view subject) const {
  uint32_t rate = subject.empty() && options_.access.is_unlimited(uid) ? 0 : options_.rate_limit;
  if (subject.empty()) {
    if (const auto own = uid_rates_.find(uid); own != uid_rates_.end()) rate = own->second;
  } else if (const auto& rates = options_.user_rates; !rates.empty()) {
    auto found = rates.find(user_text(uid, subject));
    if (found == rates.end()) found = rates.find(user_text(uid, "*"));
    if (found != rates.end()) rate = found->second;
  }
  if (rate == 0) return std::nullopt;
  return Rated{RateUser(uid, subject), RateLimit(rate)};
}

std::optional<Broker::Rated> Broker::rated(const Candidate& candidate) const {
  if (candidate.origin.session == 0) return std::nullopt;  // a schedule's
  return rated(candidate.owner_uid, candidate.view.subject);
}

std::optional<TimeNs> Broker::rate_wait(const Rated& who, uint64_t count) {
  if (options_.gate != nullptr) return options_.gate->take(who.user, who.limit, now(), count);
  return who.limit.wait_ns(tat_of(who.user), now(), count);
}

void Broker::examine_rate(Candidate& candidate, uint64_t count) {
  // One that is sent again while it waits for room was charged when it came first.
  const auto who = candidate.replaces == 0 ? rated(candidate) : std::nullopt;
  if (!who) return;
  const auto wait = rate_wait(*who, count);
  candidate.charged = wait == 0 && options_.gate != nullptr;
  if (wait == 0) return;
  candidate.error = Error::kRateLimitExceeded;
  const int64_t wait_ms = (wait.value_or(0) + kMillisecondNs - 1) / kMillisecondNs;
  candidate.retry_after_ms = static_cast<uint32_t>(std::min(wait_ms, kWaitMsMax));
}

// All or none, like the batch: what counts for each user is all that it has in there.
bool Broker::examine_batch_rate(std::span<Candidate> batch) {
  if (options_.rate_limit == 0 && options_.user_rates.empty()) return true;
  std::map<RateUser, std::vector<Candidate*>> of_users;
  for (Candidate& candidate : batch) {
    if (candidate.duplicate) continue;
    const auto who = rated(candidate);
    if (!who) continue;
    of_users[who->user].push_back(&candidate);
  }
  for (const auto& [user, candidates] : of_users) {
    Candidate& first = *candidates.front();
    examine_rate(first, candidates.size());
    for (Candidate* candidate : candidates) candidate->charged = first.charged;
    if (first.error == Error::kOk) continue;
    for (Candidate& candidate : batch) candidate.retry_after_ms = first.retry_after_ms;
    return false;
  }
  return true;
}

// What this turn has charged already counts.
TimeNs Broker::tat_of(const RateUser& user) const {
  const auto charged = charges_.find(user);
  return charged != charges_.end() ? charged->second.tat : state_.tables.rates.tat(user);
}

void Broker::charge_rate(const Candidate& candidate) {
  const auto who = rated(candidate);
  if (!who) return;
  TimeNs tat = 0;
  if (options_.gate == nullptr)
    tat = who->limit.charged(tat_of(who->user), now(), 1);
  else
    tat = candidate.charged ? options_.gate->tat(who->user)
                            : options_.gate->charge(who->user, who->limit, now(), 1);
  Charge& charge = charges_[who->user];
  charge.tat = tat;
  charge.awaited |= !candidate.memory();
}

// The last word on each user.
void Broker::note_charges() {
  for (const auto& [user, charge] : charges_) {
    const RateCharged event{user.first, user.second, charge.tat};
    note_time();
    // A job that lives in memory is forgotten together with its charge, so that it need not wait for it.
    if (charge.awaited)
      commit_->add(event);
    else
      commit_->add_unawaited(event);
    state_.apply(event);
  }
  charges_.clear();
}

// The gate has charged a submit that becomes no job; no journal has heard of it.
void Broker::give_rate_back(Candidate& candidate) {
  if (!std::exchange(candidate.charged, false)) return;
  const auto who = rated(candidate);
  options_.gate->give_back(who->user, who->limit, now(), 1);
}

// A submit that waited for room and found none is no job, and costs nothing.
void Broker::refund_rate(Slot parked) {
  if (options_.rate_limit == 0 && options_.user_rates.empty()) return;
  const Job& job = state_.jobs[parked];
  const auto submit = read_submit_record(state_.blocks.view(job.record));
  const auto who = submit ? rated(state_.jobs.terms(parked).owner_uid, submit->subject) : std::nullopt;
  if (!who) return;
  if (options_.gate != nullptr) {
    const TimeNs rest = options_.gate->give_back(who->user, who->limit, now(), 1);
    if (rest != 0) charges_[who->user] = {rest, true};
    return;
  }
  const TimeNs tat = tat_of(who->user);
  if (tat != 0) charges_[who->user] = {who->limit.refunded(tat, 1), true};
}

}  // namespace pqd
