// Amounts as people write them in a configuration, "500ms" and "64MiB", and back. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pqd {

// A number with ms, s, m, h or d, or "0"; fractions such as "1.5h" are rounded to a whole millisecond.
// Nothing for any other text, or beyond 2^53.
std::optional<uint64_t> parse_duration_ms(std::string_view text);

// A number alone or with B, KiB, MiB, GiB or TiB; fractions only with a unit. Nothing for any other text, or
// beyond 2^53.
std::optional<uint64_t> parse_bytes(std::string_view text);

// With the largest unit that leaves a whole number: "90s", "1h"; "0" for none. What the parser reads back.
std::string duration_text_ms(uint64_t duration_ms);
// "64MiB", "1000" (no unit fits).
std::string bytes_text(uint64_t bytes);

}  // namespace pqd
