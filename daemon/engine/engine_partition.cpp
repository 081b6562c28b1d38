#include "daemon/engine/engine_partition.h"

#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/engine/fail_stop.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// However many share them.
constexpr size_t kCheckpointBytesMin = 1u << 20;
constexpr size_t kHandedBytesMin = 4u << 20;

// Which this process may use.
unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

int64_t spin_ns(const EngineConfig& config, uint32_t partitions) {
  const uint32_t us = config.spin_us == kAutomatic ? spin_us_for(usable_cpus(), partitions) : config.spin_us;
  return int64_t{us} * 1'000;
}

}  // namespace

std::string EnginePartition::name() const {
  return setup_.broker.partitions == 1 ? std::string() : "partition " + std::to_string(number()) + ": ";
}

StartResult EnginePartition::named(StartResult started) const {
  if (!started) started.error().text.insert(0, name());
  return started;
}

StartResult EnginePartition::start() {
  auto recovered = open();
  if (recovered) recovered = recover_state();
  const auto latest = setup_.line.meet(recovered ? std::optional(state_.now()) : std::nullopt);
  if (!recovered) return named(std::move(recovered));
  if (!latest) return std::unexpected(StartFault{});
  auto begun = begin(*latest);
  const auto all = setup_.line.meet(begun ? std::optional(*latest) : std::nullopt);
  if (!begun) return named(std::move(begun));
  if (!all) return std::unexpected(StartFault{});
  return {};
}

void EnginePartition::take_apart() {
  worker_.reset();
  commits_.reset();
  committer_.reset();
  checkpointer_.reset();
  inbox_.close();
  loop_.reset();
}

StartResult EnginePartition::open() {
  auto loop = EventLoop::create(setup_.config.daemon.event_loop);
  if (!loop) return std::unexpected(StartFault{loop.error(), kEngineExitHalt});
  loop_ = std::move(*loop);
  auto store = Store::open(setup_.database, number());
  if (!store) return std::unexpected(fault_of(store.error()));
  store_ = std::move(*store);
  auto epoch = store_->next_epoch();
  PQD_CRASH_POINT("start-epoch-taken");
  if (!epoch) return std::unexpected(fault_of(epoch.error()));
  epoch_ = *epoch;
  auto witness = Witness::open(setup_.config.daemon.state_dir, number());
  if (!witness) return std::unexpected(fault_of(witness.error()));
  witness_.emplace(std::move(*witness));
  return {};
}

StartResult EnginePartition::recover_state() {
  finished_.emplace(*store_);
  state_.set_record_source(*finished_);
  state_.record_bytes_max = setup_.config.engine.payload_memory_bytes / setup_.broker.partitions;
  auto recovered = recover(*store_, *witness_, state_, [](uint64_t, ByteView, ByteView) { return true; });
  if (!recovered) return std::unexpected(fault_of(recovered.error()));
  recovered_ = std::move(*recovered);
  spdlog::info("{}recovered: commit {}, {} jobs, {} commits read again, {} ms", name(),
               recovered_.last_commit, recovered_.live_jobs, recovered_.commits_replayed, recovered_.took_ms);
  if (recovered_.first_stray != 0)
    spdlog::warn(
        "{}the journal has a gap behind commit {}, as a power cut leaves it: commit {} and what follows, "
        "which "
        "nobody was told would survive one, are removed",
        name(), recovered_.last_commit, recovered_.first_stray);
  PQD_CRASH_POINT("start-recovered");
  if (auto ok = store_->go_on_after(recovered_.last_commit); !ok)
    return std::unexpected(fault_of(ok.error()));
  PQD_CRASH_POINT("start-goes-on");
  if (setup_.broker.gate != nullptr) setup_.broker.gate->learn(state_.tables.rates, state_.now());
  return fold_tail();
}

StartResult EnginePartition::fold_tail() {
  RowFold fold(*store_, recovered_.checkpoint_tables, recovered_.covered,
               RowFold::kRememberedBytes / setup_.broker.partitions);
  std::optional<StoreError> error;
  const auto read =
      store_->for_each_commit(recovered_.covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
        if (auto ok = fold.fold(number, entry, block); !ok) error = ok.error();
        return !error;
      });
  if (!read) error = read.error();
  if (error) return std::unexpected(fault_of(*error));
  covered_.store(recovered_.covered, std::memory_order_relaxed);
  checkpointer_.emplace(
      *store_, *witness_, std::move(fold), checkpointer_options(),
      Checkpointer::Callbacks{.covered = [this](uint64_t to) { covered(to); },
                              .failed = [](const StoreError& failed) { fail_stop(failed); }});
  return {};
}

void EnginePartition::covered(uint64_t to) {
  // release: pairs with the worker's acquire load; the rows are in the store.
  covered_.store(to, std::memory_order_release);
  // relaxed: a hint; who has nothing to do may let go of memory.
  if (checkpoint_wanted_.load(std::memory_order_relaxed)) loop_->wake();
}

// What waits in memory, and what goes into the one write queue at once, is no more for there being several.
CheckpointerOptions EnginePartition::checkpointer_options() const {
  CheckpointerOptions options;
  options.interval_ms = setup_.config.store.checkpoint_interval_ms;
  options.wanted = &checkpoint_wanted_;
  if (setup_.broker.partitions == 1) return options;
  options.bytes = std::max(options.bytes / setup_.broker.partitions, kCheckpointBytesMin);
  options.handed_bytes_max = std::max(options.handed_bytes_max / setup_.broker.partitions, kHandedBytesMin);
  return options;
}

// `latest_ns`: over all partitions, whose clocks begin there together.
StartResult EnginePartition::begin(TimeNs latest_ns) {
  setup_.broker.zones = &zones_;
  broker_.emplace(state_, *finished_, setup_.broker);
  clock_.emplace(latest_ns);
  committer_.emplace(*store_, *checkpointer_, recovered_.last_commit, recovered_.last_hash,
                     [this] { loop_->wake(); });
  commits_.emplace(state_, ports_, *committer_, recovered_.last_commit);
  wake_ = WakeSegment::adopt(reinterpret_cast<std::byte*>(setup_.args.wake_bases[number()]));
  InheritedSessions inherited(setup_.args, number(), *broker_, state_, ports_);
  if (auto done = first_turn(inherited); !done) return done;
  SessionInbox* const inbox = number() == 0 ? nullptr : &inbox_;
  worker_.emplace(
      WorkerParts{*loop_, setup_.link, state_, *broker_, ports_, *commits_, *clock_, *store_, wake_, covered_,
                  checkpoint_wanted_, inbox, epoch_, spin_ns(setup_.config.engine, setup_.broker.partitions)},
      setup_.config.store.reserved_bytes);
  if (inbox != nullptr) inbox->open(*loop_);
  for (SessionPort* port : ports_.all()) worker_->serve(*port);
  for (const SessionNo session : inherited.resumed()) setup_.link.session_ready(session, true);
  PQD_CRASH_POINT("start-sessions-served");
  return {};
}

// This engine's epoch, and the sessions it finds. Nobody is served before it is durable.
StartResult EnginePartition::first_turn(InheritedSessions& inherited) {
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
  return {};
}

}  // namespace pqd
