#include "tests/support/load/load_schedule.h"

#include <charconv>

namespace pqd::test {
namespace {

constexpr std::string_view kBehindQueue = ".every.";

}  // namespace

LoadSchedule load_schedule(const LoadOptions& options, uint64_t number) {
  uint64_t chance = stirred(options.mix, number);
  const auto below = [&chance](uint64_t bound) {
    chance = stirred(chance, bound);
    return chance % bound;
  };
  LoadSchedule made;
  made.name = options.queue + std::string(kBehindQueue) + std::to_string(number);
  const uint64_t seconds = 1 + (below(4) == 0 ? 1u : 0u);
  made.spec = "@every " + std::to_string(seconds) + "s";
  made.every_ns = static_cast<TimeNs>(seconds) * kSecondNs;
  made.type = below(2) == 0 ? "left" : "right";
  made.payload = "run of " + std::to_string(number);
  if (below(2) == 0) made.delivery = pqd::Delivery::kAtMostOnce;
  if (below(4) == 0) made.durability = Durability::kOs;
  if (below(4) == 0) made.ordering_key = made.name;
  return made;
}

ScheduleRequest LoadSchedule::request(const LoadOptions& options) const {
  ScheduleRequest request{.name = name, .spec = spec};
  request.job.type = type;
  request.job.queue = options.queue;
  request.job.payload = as_bytes(payload);
  request.job.delivery = delivery;
  request.job.durability = durability;
  request.job.backoff_first_ms = 5;
  request.job.ordering_key = ordering_key;
  return request;
}

std::optional<uint64_t> schedule_number(const LoadOptions& options, std::string_view name) {
  const std::string mark = options.queue + std::string(kBehindQueue);
  if (!name.starts_with(mark)) return std::nullopt;
  name.remove_prefix(mark.size());
  uint64_t number = 0;
  const auto end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace pqd::test
