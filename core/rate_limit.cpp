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
  return found == tats_.end() ? 0 : found->second.tat;
}

void RateTable::forget(const RateUser& user) {
  const auto found = tats_.find(user);
  if (found == tats_.end()) return;
  by_time_.erase({found->second.filed, user});
  tats_.erase(found);
}

const std::pair<TimeNs, RateUser>* RateTable::earliest() {
  while (!by_time_.empty()) {
    Remembered& first = tats_.at(by_time_.begin()->second);
    if (first.filed == first.tat) return &*by_time_.begin();
    auto node = by_time_.extract(by_time_.begin());
    node.value().first = first.filed = first.tat;
    by_time_.insert(std::move(node));
  }
  return nullptr;
}

void RateTable::set(const RateUser& user, TimeNs tat, TimeNs now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const auto* first = earliest();
    if (first->first > now) break;
    forget(RateUser(first->second));
  }
  if (const auto found = tats_.find(user); found != tats_.end() && tat > now && tat >= found->second.filed) {
    found->second.tat = tat;
    return;
  }
  forget(user);
  if (tat <= now) return;
  tats_.emplace(user, Remembered{tat, tat});
  by_time_.emplace(tat, user);
  if (tats_.size() > kUsersMax) forget(RateUser(earliest()->second));
}

void RateTable::encode(ByteWriter& out, TimeNs now) const {
  const auto lasts = [now](const auto& entry) { return entry.second.tat > now; };
  out.varint(static_cast<uint64_t>(std::ranges::count_if(tats_, lasts)));
  for (const auto& [user, remembered] : tats_) {
    if (remembered.tat <= now) continue;
    out.varint(user.first);
    out.text(user.second);
    out.signed_varint(remembered.tat);
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
