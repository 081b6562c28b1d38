// The model's limit of submits per user (GCRA): who pays one interval for each submit that is taken may be
// ahead of time by as many intervals as there are in a minute.
#include "core/submit_record.h"
#include "tests/sim/model.h"
#include "tests/sim/model_offer.h"

namespace pqd::sim {
namespace {

constexpr TimeNs kMinuteNs = 60 * kSecondNs;

}  // namespace

std::optional<Model::RatedUser> Model::rated(uint32_t uid, std::string_view subject) const {
  const bool free = subject.empty() && (uid == 0 || uid == options_.daemon_uid);
  if (options_.rate_limit == 0 || free) return std::nullopt;
  return RatedUser(uid, subject);
}

std::optional<uint32_t> Model::too_fast(const RatedUser& user, uint64_t count) const {
  const uint64_t limit = options_.rate_limit;
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
  until = std::max(now_, until) + kMinuteNs / options_.rate_limit;
}

// It waited for room in vain. What is over already was given back by time.
void Model::give_back(const ModelJob& parked) {
  const auto user = rated(parked.owner, parked.subject);
  if (!user) return;
  const auto paid = paid_until_.find(*user);
  if (paid != paid_until_.end() && paid->second > now_) paid->second -= kMinuteNs / options_.rate_limit;
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
