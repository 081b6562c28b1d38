#include "core/rate_limit.h"

#include <algorithm>

namespace pqd {

std::string user_text(uint32_t uid, std::string_view subject) {
  std::string text = std::to_string(uid);
  if (!subject.empty()) text.append("/").append(subject);
  return text;
}

TimeNs RateTable::tat(const RateUser& user) const {
  const auto found = tats_.find(user);
  return found == tats_.end() ? 0 : found->second;
}

void RateTable::forget(const RateUser& user) {
  const auto found = tats_.find(user);
  if (found == tats_.end()) return;
  by_time_.erase({found->second, user});
  tats_.erase(found);
}

void RateTable::set(const RateUser& user, TimeNs tat, TimeNs now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) forget(RateUser(by_time_.begin()->second));
  if (const auto found = tats_.find(user); found != tats_.end() && tat > now) {
    // The same nodes: this happens for each submit.
    auto node = by_time_.extract({found->second, user});
    node.value().first = found->second = tat;
    by_time_.insert(std::move(node));
    return;
  }
  forget(user);
  if (tat <= now) return;
  tats_.emplace(user, tat);
  by_time_.emplace(tat, user);
  if (tats_.size() > kUsersMax) forget(RateUser(by_time_.begin()->second));
}

void RateTable::encode(ByteWriter& out, TimeNs now) const {
  const auto lasts = [now](const auto& entry) { return entry.second > now; };
  out.varint(static_cast<uint64_t>(std::ranges::count_if(tats_, lasts)));
  for (const auto& [user, tat] : tats_) {
    if (tat <= now) continue;
    out.varint(user.first);
    out.text(user.second);
    out.signed_varint(tat);
  }
}

void RateTable::decode(ByteReader& in, TimeNs now) {
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    const auto uid = static_cast<uint32_t>(in.varint());
    const std::string subject(in.text());
    set({uid, subject}, in.signed_varint(), now);
  }
}

}  // namespace pqd
