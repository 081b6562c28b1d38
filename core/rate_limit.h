// How fast one user may submit: the generic cell rate algorithm in its virtual scheduling form (ITU-T
// Recommendation I.371, "Traffic control and congestion control in B-ISDN", annex A). What is remembered of a
// user is one time, the theoretical arrival time (TAT): when the next submit would come if all came evenly.
// Pure; the table belongs to one thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "core/job.h"

namespace pqd {

// Whose submits are counted: a uid, or an end user in whose name that uid submits.
using RateUser = std::pair<uint32_t, std::string>;

// As the broker's options name it: "UID" or "UID/SUBJECT".
std::string user_text(uint32_t uid, std::string_view subject);

class RateLimit {
 public:
  // `per_minute` submits a minute, of which as many may come at once; 1..100'000'000.
  explicit RateLimit(uint32_t per_minute) : interval_ns_(60 * kSecondNs / per_minute), burst_(per_minute) {}

  // The TAT after `count` submits at `now`.
  TimeNs charged(TimeNs tat, TimeNs now, uint64_t count) const {
    return (tat > now ? tat : now) + static_cast<TimeNs>(count) * interval_ns_;
  }
  // The TAT as if `count` of the submits in it had not come.
  TimeNs refunded(TimeNs tat, uint64_t count) const {
    return tat - static_cast<TimeNs>(count) * interval_ns_;
  }
  // How long `count` submits at once have to wait: 0 = they may come now; nothing = they are more than the
  // burst and never may.
  std::optional<TimeNs> wait_ns(TimeNs tat, TimeNs now, uint64_t count) const {
    if (count > burst_) return std::nullopt;
    const TimeNs early = charged(tat, now, count) - static_cast<TimeNs>(burst_) * interval_ns_ - now;
    return early > 0 ? early : 0;
  }

 private:
  TimeNs interval_ns_;
  uint64_t burst_;
};

// The TATs that are not over. Of more than kUsersMax users the one with the earliest is forgotten: it had the
// least time to go until its whole burst would have been there again.
class RateTable {
 public:
  static constexpr size_t kUsersMax = 65'536;

  // 0 when nothing is remembered.
  TimeNs tat(const RateUser& user) const;
  void set(const RateUser& user, TimeNs tat, TimeNs now);
  size_t size() const { return tats_.size(); }
  // f(RateUser, TAT).
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [user, remembered] : tats_) f(user, remembered.tat);
  }

  // Without what is over at `now`, so that it does not matter when that was forgotten.
  void encode(ByteWriter& out, TimeNs now) const;
  void decode(ByteReader& in, TimeNs now);

 private:
  struct Remembered {
    TimeNs tat = 0;
    TimeNs filed = 0;  // its place in by_time_: not behind the TAT
  };

  void forget(const RateUser& user);
  // Who has the earliest TAT; nothing when nobody is remembered.
  const std::pair<TimeNs, RateUser>* earliest();

  std::map<RateUser, Remembered> tats_;
  // A submit moves its user's TAT on, and the place here stays until it is the first.
  std::set<std::pair<TimeNs, RateUser>> by_time_;
};

}  // namespace pqd
