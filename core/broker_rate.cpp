// The broker's limit of submits per user: looked at before a submit is taken, charged once it is.
#include <algorithm>
#include <utility>

#include "core/broker.h"

namespace pqd {
namespace {

constexpr int64_t kWaitMsMax = UINT32_MAX;

}  // namespace

// In submits a minute, 0 = any. In somebody's name the limit is that one's.
uint32_t Broker::rate_of(uint32_t uid, std::string_view subject) const {
  uint32_t rate = subject.empty() && options_.access.is_unlimited(uid) ? 0 : options_.rate_limit;
  if (subject.empty()) {
    if (const auto own = uid_rates_.find(uid); own != uid_rates_.end()) rate = own->second;
  } else if (const auto& rates = options_.user_rates; !rates.empty()) {
    auto found = rates.find(user_text(uid, subject));
    if (found == rates.end()) found = rates.find(user_text(uid, "*"));
    if (found != rates.end()) rate = found->second;
  }
  return rate;
}

Broker::Rated* Broker::rated(uint32_t uid, std::string_view subject) {
  if (!latest_rated_ || latest_rated_->user.first != uid || latest_rated_->user.second != subject) {
    const uint32_t rate = rate_of(uid, subject);
    latest_rated_.emplace(Rated{RateUser(uid, subject), {}, nullptr});
    if (rate != 0) latest_rated_->limit.emplace(rate);
    if (const auto charged = charges_.find(latest_rated_->user); charged != charges_.end())
      latest_rated_->charge = &charged->second;
  }
  return latest_rated_->limit ? &*latest_rated_ : nullptr;
}

Broker::Rated* Broker::rated(const Candidate& candidate) {
  if (candidate.origin.session == 0) return nullptr;  // a schedule's
  return rated(candidate.owner_uid, candidate.view.subject);
}

std::optional<TimeNs> Broker::rate_wait(const Rated& who, uint64_t count) {
  if (options_.gate != nullptr) return options_.gate->take(who.user, *who.limit, now(), count);
  return who.limit->wait_ns(tat_of(who), now(), count);
}

void Broker::examine_rate(Candidate& candidate, uint64_t count) {
  // One that is sent again while it waits for room was charged when it came first.
  const Rated* const who = candidate.replaces == 0 ? rated(candidate) : nullptr;
  if (who == nullptr) return;
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
    const Rated* const who = rated(candidate);
    if (who == nullptr) continue;
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
TimeNs Broker::tat_of(const Rated& who) const {
  return who.charge != nullptr ? who.charge->tat : state_.tables.rates.tat(who.user);
}

Broker::Charge& Broker::charge_of(Rated& who) {
  if (who.charge == nullptr) who.charge = &charges_[who.user];
  return *who.charge;
}

void Broker::charge_rate(const Candidate& candidate) {
  Rated* const who = rated(candidate);
  if (who == nullptr) return;
  TimeNs tat = 0;
  if (options_.gate == nullptr)
    tat = who->limit->charged(tat_of(*who), now(), 1);
  else
    tat = candidate.charged ? options_.gate->tat(who->user)
                            : options_.gate->charge(who->user, *who->limit, now(), 1);
  Charge& charge = charge_of(*who);
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
  if (latest_rated_) latest_rated_->charge = nullptr;
}

// The gate has charged a submit that becomes no job; no journal has heard of it.
void Broker::give_rate_back(Candidate& candidate) {
  if (!std::exchange(candidate.charged, false)) return;
  const Rated* const who = rated(candidate);
  options_.gate->give_back(who->user, *who->limit, now(), 1);
}

// A submit that waited for room and found none is no job, and costs nothing.
void Broker::refund_rate(Slot parked) {
  if (options_.rate_limit == 0 && options_.user_rates.empty()) return;
  const auto submit = read_submit_record(state_.record(parked));
  Rated* const who = submit ? rated(state_.jobs.terms(parked).owner_uid, submit->subject) : nullptr;
  if (who == nullptr) return;
  if (options_.gate != nullptr) {
    const TimeNs rest = options_.gate->give_back(who->user, *who->limit, now(), 1);
    if (rest != 0) charge_of(*who) = {rest, true};
    return;
  }
  const TimeNs tat = tat_of(*who);
  if (tat != 0) charge_of(*who) = {who->limit->refunded(tat, 1), true};
}

}  // namespace pqd
