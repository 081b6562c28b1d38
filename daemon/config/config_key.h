// One setting as a fact: its name, what it may be, what it means, and the member that holds it. Reading,
// writing, checking and the reference page all go by these facts, so that a setting is added in one place:
// config_keys.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "daemon/config/config.h"

namespace pqd {

// Flags; numbers, bytes and milliseconds; words and paths; lists.
using ConfigValue = std::variant<bool, uint64_t, std::string, std::vector<std::string>>;

enum class ValueForm : uint8_t { kFlag, kNumber, kBytes, kDuration, kWord, kPath, kQueues, kWork };

struct KeyRules {
  std::string_view name;
  ValueForm form;
  uint64_t least = 0;  // of a number, bytes, milliseconds; of a path the bytes of its text
  uint64_t most = 0;
  std::span<const std::string_view> words{};  // kWord: all there are
  bool automatic = false;  // of a number: the word `auto` may stand there too, held as kAutomatic
  std::string_view zero{};                    // what 0 means, where it means something of its own
  std::string_view meaning{};                 // for the reference page
};

template <class Table>
struct ConfigKey {
  KeyRules rules;
  std::variant<bool Table::*, uint32_t Table::*, uint64_t Table::*, std::string Table::*,
               BackendChoice Table::*, Fairness Table::*, std::vector<std::string> Table::*>
      member;

  ConfigValue get(const Table& table) const {
    return std::visit(
        [&](auto pointer) -> ConfigValue {
          const auto& value = table.*pointer;
          using Held = std::remove_cvref_t<decltype(value)>;
          if constexpr (std::is_enum_v<Held>)
            return std::string(rules.words[static_cast<size_t>(value)]);
          else if constexpr (std::is_same_v<Held, uint32_t>)
            return uint64_t{value};
          else
            return value;
        },
        member);
  }
  // REQUIRES: a value that read_value() gave for these rules.
  void set(Table& table, const ConfigValue& value) const {
    std::visit(
        [&](auto pointer) {
          auto& held = table.*pointer;
          using Held = std::remove_cvref_t<decltype(held)>;
          if constexpr (std::is_enum_v<Held>)
            held = static_cast<Held>(word_index(std::get<std::string>(value)));
          else if constexpr (std::is_same_v<Held, uint32_t>)
            held = static_cast<uint32_t>(std::get<uint64_t>(value));
          else
            held = std::get<Held>(value);
        },
        member);
  }

 private:
  size_t word_index(std::string_view word) const {
    size_t index = 0;
    while (rules.words[index] != word) ++index;
    return index;
  }
};

// The tables that a queue may have inside.
inline constexpr std::string_view kUserWeights = "user_weights";
inline constexpr std::string_view kKeyWeights = "key_weights";
// The one in [limits].
inline constexpr std::string_view kUserRates = "user_rates";

std::span<const ConfigKey<DaemonConfig>> daemon_keys();
std::span<const ConfigKey<EngineConfig>> engine_keys();
std::span<const ConfigKey<QueuesConfig>> queues_keys();  // without the tables inside it
std::span<const ConfigKey<QueueSettings>> queue_keys();  // of [queues.defaults] and each [queue.NAME]
std::span<const ConfigKey<LimitsConfig>> limits_keys();
std::span<const ConfigKey<AccessTable>> access_keys();  // of each [access.user.NAME] and [access.group.NAME]
std::span<const ConfigKey<StoreConfig>> store_keys();

// The key of that name, or null.
template <class Table>
const ConfigKey<Table>* find_key(std::span<const ConfigKey<Table>> keys, std::string_view name) {
  for (const auto& key : keys)
    if (key.rules.name == name) return &key;
  return nullptr;
}

}  // namespace pqd
