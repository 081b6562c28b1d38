#include "daemon/config/amount_text.h"

#include <charconv>
#include <cmath>
#include <span>

namespace pqd {
namespace {

struct Unit {
  std::string_view name;
  uint64_t size;
};
// Smallest first.
constexpr Unit kDurationUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kBytesUnits[] = {
    {"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};

// Up to here a double holds every whole number.
constexpr double kAmountMax = 9'007'199'254'740'992.0;

std::optional<uint64_t> scaled(double value, const Unit& unit) {
  const double amount = value * static_cast<double>(unit.size);
  if (!(amount >= 0 && amount <= kAmountMax)) return std::nullopt;
  return static_cast<uint64_t>(std::llround(amount));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<uint64_t> parse_amount(std::string_view text, std::span<const Unit> units) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  const std::string_view word(end, static_cast<size_t>(last - end));
  for (const Unit& unit : units) {
    if (word == unit.name) return scaled(value, unit);
  }
  return std::nullopt;
}

std::string amount_text(uint64_t amount, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (amount % unit.size == 0) best = &unit;
  }
  return std::to_string(amount / best->size) + std::string(best->name);
}

}  // namespace

std::optional<uint64_t> parse_duration_ms(std::string_view text) {
  if (text == "0") return 0;
  return parse_amount(text, kDurationUnits);
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
  const bool whole = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!whole) return parse_amount(text, kBytesUnits);
  return parse_amount(std::string(text) + "B", kBytesUnits);
}

std::string duration_text_ms(uint64_t duration_ms) {
  return duration_ms == 0 ? "0" : amount_text(duration_ms, kDurationUnits);
}

std::string bytes_text(uint64_t bytes) {
  if (bytes == 0 || bytes % 1024 != 0) return std::to_string(bytes);
  return amount_text(bytes, kBytesUnits);
}

}  // namespace pqd
