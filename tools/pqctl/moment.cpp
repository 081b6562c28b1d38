#include "tools/pqctl/moment.h"

#include <algorithm>

#include "core/limits.h"
#include "tools/pqctl/duration.h"

namespace pqd::ctl {

Checked<Moment> read_moment(const std::string& text) {
  if (const auto ago = parse_duration(text)) return Moment{ago->count(), true};
  if (const auto time = parse_time_ms(text)) return Moment{std::min(*time, limits::kUnixMsMax), false};
  return complain(kExitBadData,
                  "not a time: \"" + text + "\"; write how long ago (1h) or when (2026-01-31T12:00:00Z)");
}

Checked<int64_t> moment_ms(const std::string& text) {
  const auto moment = read_moment(text);
  if (!moment) return std::unexpected(moment.error());
  return moment->is_ago ? std::max<int64_t>(moment->by(unix_now_ms()), 0) : moment->ms;
}

}  // namespace pqd::ctl
