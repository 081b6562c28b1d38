// The model's limit of submits per user (GCRA): who pays one interval for each submit that is taken may be
// ahead of time by as many intervals as there are in a minute.
#include "core/submit_record.h"
#include "tests/sim/model.h"
#include "tests/sim/model_offer.h"

namespace pqd::sim {
namespace {

constexpr TimeNs kMinuteNs = 60 * kSecondNs;

}  // namespace

// Submits a minute; 0 = as fast as it can. What is said of an end user or a user stands over what is said of
// all end users of that user, and that over the rest.
uint64_t Model::rate_of(const RatedUser& user) const {
  const auto& [uid, subject] = user;
  const std::string name = std::to_string(uid) + (subject.empty() ? "" : "/" + subject);
  if (const auto said = options_.user_rates.find(name); said != options_.user_rates.end())
    return said->second;
  const auto others = options_.user_rates.find(std::to_string(uid) + "/*");
  if (!subject.empty() && others != options_.user_rates.end()) return others->second;
  const bool free = subject.empty() && (is_master(uid) || options_.access.users.contains(uid));
  return free ? 0 : options_.rate_limit;
}

std::optional<Model::RatedUser> Model::rated(uint32_t uid, std::string_view subject) const {
  const RatedUser user(uid, subject);
  return rate_of(user) == 0 ? std::nullopt : std::optional(user);
}

std::optional<uint32_t> Model::too_fast(const RatedUser& user, uint64_t count) const {
  const uint64_t limit = rate_of(user);
  if (count > limit) return 0;
  const TimeNs interval = kMinuteNs / static_cast<TimeNs>(limit);
  const auto paid = paid_until_.find(user);
  const TimeNs from = paid == paid_until_.end() ? now_ : std::max(now_, paid->second);
  const TimeNs ahead = from - now_ + static_cast<TimeNs>(count) * interval;
  const TimeNs wait = ahead - static_cast<TimeNs>(limit) * interval;
  if (wait <= 0) return std::nullopt;
  return static_cast<uint32_t>((wait + kMillisecondNs - 1) / kMillisecondNs);
}

void Model::pay(uint32_t uid, const std::string& subject) {
  const auto user = rated(uid, subject);
  if (!user) return;
  TimeNs& until = paid_until_[*user];
  until = std::max(now_, until) + kMinuteNs / static_cast<TimeNs>(rate_of(*user));
}

// It waited for room in vain. What is over already was given back by time.
void Model::give_back(const ModelJob& parked) {
  const auto user = rated(parked.owner, parked.subject);
  if (!user) return;
  const auto paid = paid_until_.find(*user);
  if (paid != paid_until_.end() && paid->second > now_)
    paid->second -= kMinuteNs / static_cast<TimeNs>(rate_of(*user));
}

// All or none: what counts for each user is all that it has in there. One that takes the place of an earlier
// one has paid.
void Model::examine_rate(std::span<Offer> offers) const {
  std::map<RatedUser, uint64_t> counts;
  for (const Offer& offer : offers) {
    const auto user = rated(sessions_.at(offer.session).uid, offer.view.subject);
    if (user && !offer.duplicate && !offer.replaces) ++counts[*user];
  }
  for (const auto& [user, count] : counts) {
    const auto wait = too_fast(user, count);
    if (!wait) continue;
    for (Offer& offer : offers) {
      offer.error = Error::kRateLimitExceeded;
      offer.retry_after_ms = *wait;
    }
    return;
  }
}

}  // namespace pqd::sim
