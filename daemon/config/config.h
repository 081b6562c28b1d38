// Everything that may be configured, as values: the file's tables, with the environment laid over them. Both
// processes of the daemon and pqctl read it here, so that they cannot disagree. Any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/access.h"
#include "core/queue_settings.h"
#include "daemon/loop/event_loop.h"

namespace pqd {

// Of a setting that may be "auto": pqd chooses.
inline constexpr uint32_t kAutomatic = UINT32_MAX;

// [daemon]
struct DaemonConfig {
  std::string state_dir = "/var/lib/pqd";
  std::string socket = "/run/pqd/pqd.sock";
  uint32_t sessions_max = 1024;
  uint32_t user_sessions_max = 256;            // of one user that is neither root nor the daemon's
  uint64_t session_memory_bytes = 4ull << 30;  // of all sessions together
  uint64_t user_session_memory_bytes = 2ull << 30;  // of those of one user that is neither root nor the daemon's
  uint32_t max_payload_bytes = 256u << 10;
  uint32_t engine_backoff_max_ms = 5'000;  // longest wait before a dead engine's successor; 10..60'000
  BackendChoice event_loop = BackendChoice::kAuto;
  std::string log_level = "info";  // debug, info, warn, error

  friend bool operator==(const DaemonConfig&, const DaemonConfig&) = default;
};

// [engine]
struct EngineConfig {
  uint32_t partitions = 1;  // 1..kPartitionsMax; fixed when the store is made
  uint32_t spin_us = kAutomatic;  // 0..1000 or kAutomatic; see daemon/engine/spin.h
  uint64_t payload_memory_bytes = 128ull << 20;  // of all partitions together; 0 = none that the store has

  friend bool operator==(const EngineConfig&, const EngineConfig&) = default;
};

// [queues], [queues.defaults] and a table [queue.NAME] for each queue that differs from the defaults.
struct QueuesConfig {
  bool strict = false;  // no queue but `default` and the named ones
  QueueSettings defaults;
  std::map<std::string, QueueSettings> named;
  // Of those in `named`: [queue.NAME.user_weights], whose users are as they were written (see uid_of_user),
  // and [queue.NAME.key_weights].
  std::map<std::string, QueueWeights> weights;

  friend bool operator==(const QueuesConfig&, const QueuesConfig&) = default;
};

// [store]
struct StoreConfig {
  uint64_t reserved_bytes = 256ull << 20;   // free disk below which submits are refused with NO_SPACE
  uint32_t checkpoint_interval_ms = 1'000;  // 10..60'000

  friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

// [limits]
struct LimitsConfig {
  uint32_t rate_limit = 60;  // submits per user and minute; 0 = unlimited
  // [limits.user_rates]: for whom another holds; users as they were written, see uid_of_user.
  std::map<std::string, uint32_t> user_rates = {};

  friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

// A table [access.user.NAME] or [access.group.NAME]: what it gives, as it was written.
struct AccessTable {
  std::vector<std::string> producer;  // queues, see NamePattern
  std::vector<std::string> consumer;  // queues and types, see ConsumeRight
  bool operates = false;              // `operator`
  bool admin = false;
  bool act_for = false;

  friend bool operator==(const AccessTable&, const AccessTable&) = default;
};

// [access]; users and groups as they were written, see uid_of_user. The user "*" is everybody.
struct AccessConfig {
  std::map<std::string, AccessTable> users;
  std::map<std::string, AccessTable> groups;

  friend bool operator==(const AccessConfig&, const AccessConfig&) = default;
};

struct Config {
  DaemonConfig daemon;
  EngineConfig engine;
  QueuesConfig queues;
  LimitsConfig limits;
  AccessConfig access;
  StoreConfig store;

  friend bool operator==(const Config&, const Config&) = default;
};

inline constexpr char kSystemConfig[] = "/etc/pqd/pqd.toml";

// One line a fault, "FILE:LINE:COLUMN: what is wrong and what would be right"; all of them, not the first.
using ConfigFaults = std::vector<std::string>;

// PQD_A__B=value lays `value` over the key b of the table [a]; PQD_QUEUE__MAIL__MAX_DEPTH over max_depth of
// [queue.mail]. `environment` is a list of NAME=VALUE; variables without a double underscore are not ours.
std::expected<Config, ConfigFaults> parse_config(const std::string& text, const std::string& file,
                                                 const std::vector<std::string>& environment);

// An empty path: defaults and environment only.
std::expected<Config, ConfigFaults> load_config(const std::string& path,
                                                const std::vector<std::string>& environment);

// The process's environment, for the two above.
std::vector<std::string> process_environment();

// `text`: a user's name, or a uid as a number. Nothing: this machine has no such user.
std::optional<uint32_t> uid_of_user(const std::string& text);
// The same of a group.
std::optional<uint32_t> gid_of_group(const std::string& text);

// [access] in numbers, as the broker goes by it. Users and groups that this machine does not have any more
// are left out. `daemon_uid`: whose everything is.
AccessRules access_rules(const AccessConfig& access, uint32_t daemon_uid);

// Canonical TOML: every key with its value in force. parse_config(render_config(c)) == c.
std::string render_config(const Config& config);

}  // namespace pqd
