#include "core/job.h"

#include <algorithm>
#include <array>

#include "core/limits.h"

namespace pqd {
namespace {

constexpr std::array<std::string_view, kJobStateCount> kStates{
    "pending", "assigned", "processing", "completed", "failed", "timeout", "cancelled"};
constexpr std::array<std::string_view, 3> kModes{"fifo", "priority", "batch"};
constexpr std::array<std::string_view, 2> kDeliveries{"at-least-once", "at-most-once"};
constexpr std::array<std::string_view, 3> kDurabilities{"fsync", "os", "memory"};
constexpr std::array<std::string_view, kReasonCount> kReasons{
    "",          "failed",       "processing_timeout", "consumer_died", "do_not_retry", "queue_timeout",
    "cancelled", "delivery_lost"};

template <class Enum, size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < N ? names[index] : std::string_view("unknown");
}

template <class Enum, size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view state_name(JobState state) { return name_of(kStates, state); }
std::string_view mode_name(Mode mode) { return name_of(kModes, mode); }
std::string_view delivery_name(Delivery delivery) { return name_of(kDeliveries, delivery); }
std::string_view durability_name(Durability durability) { return name_of(kDurabilities, durability); }
std::string_view reason_name(Reason reason) { return name_of(kReasons, reason); }
Error error_of(Reason reason) {
  switch (reason) {
    case Reason::kLeaseExpired:
      return Error::kProcessingTimeout;
    case Reason::kConsumerDied:
      return Error::kWorkerUnavailable;
    case Reason::kQueueTimeout:
      return Error::kRequestTimeout;
    default:
      return Error::kOk;
  }
}
std::optional<JobState> parse_state(std::string_view text) { return value_of<JobState>(kStates, text); }
std::optional<Mode> parse_mode(std::string_view text) { return value_of<Mode>(kModes, text); }
std::optional<Delivery> parse_delivery(std::string_view text) {
  return value_of<Delivery>(kDeliveries, text);
}
std::optional<Durability> parse_durability(std::string_view text) {
  return value_of<Durability>(kDurabilities, text);
}

bool valid_name(std::string_view name) {
  static constexpr auto kAllowed = [] {
    std::array<bool, 256> allowed{};
    for (const char c : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
      allowed[static_cast<unsigned char>(c)] = c != '\0';
    return allowed;
  }();
  if (name.empty() || name.size() > limits::kNameBytesMax) return false;
  return std::ranges::all_of(name, [](char c) { return kAllowed[static_cast<unsigned char>(c)]; });
}

}  // namespace pqd
