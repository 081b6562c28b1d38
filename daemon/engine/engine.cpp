#include "daemon/engine/engine.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/engine/fail_stop.h"
#include "daemon/engine/inherited_sessions.h"
#include "daemon/engine/worker.h"
#include "daemon/log/last_words.h"
#include "daemon/log/log.h"
#include "daemon/store/recovery.h"
#include "daemon/zone/zone_files.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Why there is no engine, and whether the next one may fare better.
struct StartFault {
  std::string text;
  int status = kEngineExitHalt;
};
template <class T>
using Started = std::expected<T, StartFault>;

// A full disk can be helped, another owner of the store may be on its way out.
StartFault fault_of(const StoreError& error) {
  switch (error.code) {
    case Error::kNoSpace:
      return {"NO_SPACE: " + error.text, kEngineExitLater};
    case Error::kUnavailable:
      return {error.text, kEngineExitRestart};
    default:
      return {error.text, kEngineExitHalt};
  }
}

class StoredJobs final : public FinishedJobs {
 public:
  explicit StoredJobs(const Store& store) : store_(store) {}

  std::optional<JobRow> find_finished(const JobId& id) override {
    const auto bytes = store_.find_done(id);
    if (!bytes) fail_stop(bytes.error());
    if (!*bytes) return std::nullopt;
    auto row = decode_row(**bytes);
    if (!row)
      fail_stop(
          {Error::kSystemError, "the row of a finished job cannot be read: the store is damaged", true});
    return std::move(*row);
  }

  std::optional<KeptKey> find_key(const ShortHash& key) override {
    const auto kept = store_.find_key(key);
    if (!kept) fail_stop(kept.error());
    return *kept;
  }

 private:
  const Store& store_;
};

// Users are known to the broker by their numbers.
template <class Numbers>
FairWeights by_uid(const Numbers& named) {
  FairWeights numbers;
  for (const auto& [name, number] : named) {
    const size_t slash = std::min(name.find('/'), name.size());
    if (const auto uid = uid_of_user(name.substr(0, slash)))
      numbers[std::to_string(*uid) + name.substr(slash)] = number;
  }
  return numbers;
}

BrokerOptions broker_options(const Config& config, ZoneSource& zones) {
  BrokerOptions options;
  options.zones = &zones;
  options.defaults = config.queues.defaults;
  options.queues = config.queues.named;
  for (const auto& [name, weights] : config.queues.weights)
    options.weights[name] = {by_uid(weights.users), weights.keys};
  options.strict_queues = config.queues.strict;
  options.payload_bytes_max = config.daemon.max_payload_bytes;
  options.rate_limit = config.limits.rate_limit;
  options.user_rates = by_uid(config.limits.user_rates);
  options.access = access_rules(config.access, ::geteuid());
  if (::getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) options.seed = 1;
  return options;
}

class Engine {
 public:
  Engine(const EngineArgs& args, SupervisorLink& link) : args_(args), link_(link) {}

  Started<void> start() {
    if (auto ok = open_store(); !ok) return ok;
    if (auto ok = recover_state(); !ok) return ok;
    return begin();
  }

  // The worker first of all goes; then what it wrote is finished by those who hold it.
  void run() {
    worker_->run();
    worker_.reset();
    commits_.reset();
    committer_.reset();
    checkpointer_.reset();
  }

 private:
  Started<void> open_store() {
    auto config = parse_config(args_.config_toml, "engine", {});
    if (!config) return std::unexpected(StartFault{config.error().front(), kEngineExitHalt});
    config_ = std::move(*config);
    open_log("engine", config_.daemon.log_level);
    auto loop = EventLoop::create(config_.daemon.event_loop);
    if (!loop) return std::unexpected(StartFault{loop.error(), kEngineExitHalt});
    loop_ = std::move(*loop);
    auto store = Store::open({.directory = config_.daemon.state_dir});
    if (!store) return std::unexpected(fault_of(store.error()));
    store_ = std::move(*store);
    PQD_CRASH_POINT("start-store-open");
    // What a backup left that did not end; it would hold tables on the disk.
    if (auto gone = Database::remove_copy(config_.daemon.state_dir); !gone)
      spdlog::warn("{}", gone.error().text);
    auto epoch = store_->next_epoch();
    PQD_CRASH_POINT("start-epoch-taken");
    if (!epoch) return std::unexpected(fault_of(epoch.error()));
    epoch_ = *epoch;
    auto witness = Witness::open(config_.daemon.state_dir);
    if (!witness) return std::unexpected(fault_of(witness.error()));
    witness_.emplace(std::move(*witness));
    return {};
  }

  Started<void> recover_state() {
    auto recovered = recover(*store_, *witness_, state_, [](uint64_t, ByteView, ByteView) { return true; });
    if (!recovered) return std::unexpected(fault_of(recovered.error()));
    recovered_ = std::move(*recovered);
    spdlog::info("recovered: commit {}, {} jobs, {} commits read again, {} ms", recovered_.last_commit,
                 recovered_.live_jobs, recovered_.commits_replayed, recovered_.took_ms);
    if (recovered_.first_stray != 0)
      spdlog::warn(
          "the journal has a gap behind commit {}, as a power cut leaves it: commit {} and what follows, "
          "which "
          "nobody was told would survive one, are removed",
          recovered_.last_commit, recovered_.first_stray);
    PQD_CRASH_POINT("start-recovered");
    if (auto ok = store_->go_on_after(recovered_.last_commit); !ok)
      return std::unexpected(fault_of(ok.error()));
    PQD_CRASH_POINT("start-goes-on");
    RowFold fold(*store_, recovered_.checkpoint_tables, recovered_.covered);
    std::optional<StoreError> error;
    const auto read =
        store_->for_each_commit(recovered_.covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
          if (auto ok = fold.fold(number, entry, block); !ok) error = ok.error();
          return !error;
        });
    if (!read) error = read.error();
    if (error) return std::unexpected(fault_of(*error));
    covered_.store(recovered_.covered, std::memory_order_relaxed);
    CheckpointerOptions options;
    options.interval_ms = config_.store.checkpoint_interval_ms;
    checkpointer_.emplace(
        *store_, *witness_, std::move(fold), options,
        Checkpointer::Callbacks{
            // release: pairs with the worker's acquire load; the rows are in the store.
            .covered = [this](uint64_t to) { covered_.store(to, std::memory_order_release); },
            .failed = [](const StoreError& failed) { fail_stop(failed); }});
    return {};
  }

  // The first turn: this engine's epoch, and the sessions it finds. Nobody is served before it is durable.
  Started<void> begin() {
    finished_.emplace(*store_);
    broker_.emplace(state_, *finished_, broker_options(config_, zones_));
    clock_.emplace(state_.now());
    committer_.emplace(*store_, *checkpointer_, recovered_.last_commit, [this] { loop_->wake(); });
    commits_.emplace(state_, ports_, *committer_, recovered_.last_commit, recovered_.last_hash);
    wake_ = WakeSegment::adopt(reinterpret_cast<std::byte*>(args_.wake_base));
    InheritedSessions inherited(args_, *broker_, state_, ports_);
    if (auto ok = inherited.map(); !ok) return std::unexpected(StartFault{ok.error(), kEngineExitRestart});
    PQD_CRASH_POINT("start-sessions-mapped");
    CommitBuilder& commit = commits_->open();
    broker_->begin_turn(clock_->now(), commit);
    broker_->start_epoch(epoch_);
    commit.require_sync();
    auto settled = inherited.settle();
    broker_->end_turn();
    if (!settled) return std::unexpected(StartFault{settled.error(), kEngineExitRestart});
    commits_->hand(true, [] {});
    PQD_CRASH_POINT("start-turn-handed");
    while (!commits_->idle()) {
      loop_->run(-1);
      commits_->look();
    }
    PQD_CRASH_POINT("start-turn-durable");
    worker_.emplace(WorkerParts{*loop_, link_, state_, *broker_, ports_, *commits_, *clock_, *store_, wake_,
                                covered_, epoch_},
                    config_.store.reserved_bytes);
    for (SessionPort* port : ports_.all()) worker_->serve(*port);
    for (const SessionNo session : inherited.resumed()) link_.session_ready(session, true);
    PQD_CRASH_POINT("start-sessions-served");
    link_.ready();
    PQD_CRASH_POINT("start-ready");
    return {};
  }

  const EngineArgs& args_;
  SupervisorLink& link_;
  Config config_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Store> store_;
  std::optional<Witness> witness_;
  State state_;
  Recovered recovered_;
  uint32_t epoch_ = 0;
  // Writer: the checkpointer's thread.
  std::atomic<uint64_t> covered_{0};
  std::optional<Checkpointer> checkpointer_;
  std::optional<Committer> committer_;
  std::optional<StoredJobs> finished_;
  ZoneFiles zones_;
  std::optional<Broker> broker_;
  std::optional<EngineClock> clock_;
  SessionPorts ports_;
  std::optional<CommitLine> commits_;
  WakeSegment wake_;
  std::optional<Worker> worker_;
};

}  // namespace

int run_engine(const EngineArgs& args) {
  // Like a failed write, see fail_stop(): from whichever thread meets it, in whatever it was.
  end_without_memory("engine", "Nothing more is acknowledged; the engine ends and the next one recovers",
                     kEngineExitRestart);
  SupervisorLink link(args.link_fd);
  Engine engine(args, link);
  if (const auto started = engine.start(); !started) {
    link.fatal(started.error().text);
    return started.error().status;
  }
  engine.run();
  return 0;
}

}  // namespace pqd
