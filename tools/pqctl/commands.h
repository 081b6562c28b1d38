// Every command of pqctl: what its command line says, and the function that does it, in a file of its own
// name. Each returns the exit code. What the command line says has been checked for form only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/pqctl/context.h"

namespace pqd::ctl {

struct SubmitOptions {
  std::vector<std::pair<std::string, std::string>> fields;  // as set_field() takes them
  std::optional<std::string> payload;                       // literal, @FILE or -
  std::string ndjson;                                       // FILE or -; empty: one job from the fields
  bool wait = false;
};
int run_submit(Context& context, const SubmitOptions& options);
int run_submit_ndjson(Context& context, const SubmitOptions& options);

int run_get(Context& context, const std::string& id);
int run_explain(Context& context, const std::string& id);
int run_wait(Context& context, const std::string& id);
int run_cancel(Context& context, const std::string& id, bool running);

struct ListOptions {
  std::vector<std::string> states;
  std::string type;
  std::string queue;
  std::string user;
  std::string since;
  std::string until;
  std::string before;  // an id: only older jobs
  uint32_t limit = 50;
};
int run_list(Context& context, const ListOptions& options);

struct EventsOptions {
  ListOptions wanted;  // its states, type, queue and user
  std::string job;
  bool follow = false;
  std::optional<uint32_t> last;  // nothing = 50, or none when following
};
int run_events(Context& context, const EventsOptions& options);

struct WorkOptions {
  std::vector<std::string> types;
  std::string queue = "default";
  uint32_t concurrency = 1;
  uint32_t ahead = 0;  // jobs, or batches, taken at once, those running included; 0 = as many as run
  bool batch = false;  // a command for each batch, not for each job
  bool pool = false;   // commands that stay, and take one job after the other
  Milliseconds idle_timeout{30'000};  // of a command of the pool; 0 = none
  std::vector<std::string> command;
};
int run_work(Context& context, const WorkOptions& options);

inline constexpr size_t kBenchBytesMin = 16;  // room for what each job says about itself
struct BenchOptions {
  std::string queue = "pqctl-bench";
  Durability durability = Durability::kFsync;
  double seconds = 2;      // of each measurement
  unsigned producers = 1;  // connections that submit at once
  size_t bytes = 200;      // of each payload

  int64_t seconds_ns() const { return static_cast<int64_t>(seconds * 1e9); }
};
int run_bench(Context& context, const BenchOptions& options);

int run_queue_list(Context& context);
int run_queue_show(Context& context, const std::string& queue);
struct QueueSetOptions {
  std::string queue;
  std::vector<std::string> words;  // key=value
  bool reset = false;
};
int run_queue_set(Context& context, const QueueSetOptions& options);
int run_queue_control(Context& context, QueueAction action, const std::string& queue);

// Which dead letters: one, or those that fit.
struct DeadLetterChoice {
  std::string id;
  bool all = false;
  std::string type;
  std::string queue;
  std::string before;  // dead since before then
};
struct RedriveOptions {
  DeadLetterChoice choice;
  std::string rate;
  bool dry_run = false;
};
struct PurgeOptions {
  DeadLetterChoice choice;
  bool dry_run = false;
  bool yes = false;  // do not ask
};
int run_dlq_list(Context& context, const ListOptions& options);
int run_dlq_show(Context& context, const std::string& id);
int run_dlq_redrive(Context& context, const RedriveOptions& options);
int run_dlq_review(Context& context, const std::string& id, const std::string& resolution);
int run_dlq_purge(Context& context, const PurgeOptions& options);

struct CronAddOptions {
  std::string name;
  std::string spec;
  std::string zone = "UTC";
  SubmitOptions job;
  bool replace = false;
};
struct CronNextOptions {
  std::string name;
  std::string spec;
  std::string zone = "UTC";
  uint32_t count = 5;
};
int run_cron_list(Context& context);
int run_cron_add(Context& context, const CronAddOptions& options);
int run_cron_remove(Context& context, const std::string& name);
int run_cron_next(Context& context, const CronNextOptions& options);

int run_config_check(Context& context, const std::string& file);
int run_config_show(Context& context, const std::string& file);  // empty: the system's, if there is one

int run_doctor(Context& context, const std::string& config_file);

// tools/store: in a program of its own, for they need RocksDB, which takes longer to load than most commands
// to run.
struct StoreOptions {
  std::string directory;  // empty: the daemon's that is meant
  std::string config;     // empty: the system's, if there is one
  std::string to;         // salvage, backup
};
int run_store_backup(Context& context, const StoreOptions& options);
int run_store_check(Context& context, const StoreOptions& options);
int run_store_salvage(Context& context, const StoreOptions& options);

int run_health(Context& context);

enum class MetricsReport : uint8_t { kHourly, kDaily, kDetailed, kByType };
struct MetricsOptions {
  MetricsReport report = MetricsReport::kHourly;
  std::string from;  // kDetailed, kByType; empty: 24 hours before `to`
  std::string to;
  std::string queue;
  std::string type;
};
int run_metrics(Context& context, const MetricsOptions& options);
int run_version(Context& context);

}  // namespace pqd::ctl
