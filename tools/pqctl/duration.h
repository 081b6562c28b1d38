// Durations and points in time as people write them on a command line, and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/job.h"

namespace pqd::ctl {

using Milliseconds = std::chrono::milliseconds;

// How a duration may be written, for messages.
inline constexpr std::string_view kDurationForms = "a number with ms, s, m, h or d, such as 500ms or 1.5h";

// "500ms", "30s", "1.5m", "2h", "1d", and "0". Nothing for anything else, or beyond a thousand years.
std::optional<Milliseconds> parse_duration(std::string_view text);

// Short, two units at most: "850ms", "12s", "3m20s", "5h12m", "2d3h".
std::string duration_text(Milliseconds duration);

// Unix milliseconds of "2026-01-31T12:00:00.000Z", with an offset like +02:00, or of the local time without
// either; a space may stand for the T; seconds and time of day may be left out.
std::optional<int64_t> parse_time_ms(std::string_view text);

// ISO 8601, UTC, with milliseconds; empty for 0, which stands for "not yet".
std::string iso_time(TimeNs time_ns);

int64_t unix_now_ms();

}  // namespace pqd::ctl
