// A consumer that does not read its deliveries, while its leases end and others begin: what waits for it
// meanwhile, and what it gets when it reads again.
#include "core/control_record.h"
#include "core/down_record.h"
#include "daemon/engine/drain.h"
#include "tests/daemon/engine/fixtures.h"

namespace pqd::test {
namespace {

constexpr size_t kPayloadBytes = 20'000;
constexpr uint32_t kLong = 3'600'000;
constexpr unsigned kJobs = 300;
// The ring has room for three of them.
constexpr size_t kBlocksMax = 20;

class NothingFinished final : public FinishedJobs {
 public:
  std::optional<JobRow> find_finished(const JobId& /*id*/) override { return std::nullopt; }
  std::optional<KeptKey> find_key(const ShortHash& /*key*/) override { return std::nullopt; }
};

class StoppedConsumer : public ::testing::Test {
 protected:
  StoppedConsumer() : broker(state, finished, options()), drain(broker, ports) {
    port = &ports.add(std::move(peers.port));
    turn([&] {
      broker.start_epoch(1);
      broker.open_session({Peers::kSession, 0, 1, Peers::kTag, {}});
    });
    peers.put(Lane::kControl, write_subscribe({1, limits::kCreditsMax, "default", {"work"}}));
    turn();
  }
  ~StoppedConsumer() override { port->outbox().drop(state); }

  static BrokerOptions options() {
    BrokerOptions options;
    options.defaults.max_active = 0;
    options.defaults.batch_size = 2;
    return options;
  }
  SessionOutbox& outbox() { return port->outbox(); }
  void flush() { outbox().flush({number, number, number}, state); }

  // A turn whose commit is durable at once, and covered by a checkpoint, a second after the one before.
  template <class F>
  void turn(F&& body) {
    CommitBuilder commit(state.blocks, ++number, 0);
    broker.begin_turn(1'700'000'000 * kSecondNs + static_cast<TimeNs>(number) * kSecondNs, commit);
    body();
    drain.run(commit);
    broker.end_turn();
    const Commit closed = commit.close();
    for (const DeliveryEffect& effect : closed.effects.deliveries) outbox().add(number, latest = effect);
    for (const CancelNotice& notice : closed.effects.notices) outbox().add(number, notice);
    for (const LaneEffect& effect : closed.effects.lanes) outbox().add(number, effect);
    state.retire(number);
    flush();
    blocks_max = std::max(blocks_max, state.blocks.blocks_in_use());
  }
  void turn() {
    turn([] {});
  }
  void submit(uint32_t lease_ms, Mode mode = Mode::kFifo) {
    const std::string payload(kPayloadBytes, 'x');
    SubmitView view;
    view.head.id = JobId::make(1'700'000'000'000, peers.tag, static_cast<uint8_t>(Lane::kNormal), ++ids);
    view.head.processing_timeout_ms = lease_ms;
    view.head.max_attempts = 1;
    view.head.mode = static_cast<uint8_t>(mode);
    view.queue = "default";
    view.type = "work";
    view.payload = as_bytes(payload);
    Bytes record(submit_record_bytes(view));
    write_submit_record(view, record);
    peers.put(Lane::kNormal, record);
  }
  // And one more, all of them in the consumer's hands for long.
  void fill_the_ring() {
    while (!outbox().blocked()) {
      submit(kLong);
      turn();
    }
  }
  // What the consumer finds, by the counters of ids; 0 = the end of a batch.
  std::vector<uint64_t> read_all() {
    std::vector<uint64_t> found;
    for (bool any = true; any;) {
      any = false;
      for (auto record = peers.deliveries.next(); !record.empty(); record = peers.deliveries.next()) {
        const auto view = read_delivery_record(record);
        const bool end = static_cast<DownKind>(view->head.head.kind) == DownKind::kBatchEnd;
        found.push_back(end ? 0 : view->head.id.counter());
        const bool job = static_cast<DownKind>(view->head.head.kind) == DownKind::kDelivery;
        EXPECT_EQ(view->head.number != 0, job) << "its client takes no number twice";
        last_of_batch = view->head.batch_last != 0;
        peers.deliveries.release();
        any = true;
      }
      flush();
    }
    return found;
  }

  State state;
  NothingFinished finished;
  Broker broker;
  SessionPorts ports;
  Drain drain;
  Peers peers;
  SessionPort* port = nullptr;
  uint64_t number = 0;
  uint64_t ids = 0;
  DeliveryEffect latest;
  size_t blocks_max = 0;
  bool last_of_batch = false;  // what was read last
};

TEST_F(StoppedConsumer, KeepsNoPayloadInMemoryWhoseLeaseIsOver) {
  fill_the_ring();
  for (unsigned i = 0; i < kJobs; ++i) {
    submit(1);
    turn();
  }
  EXPECT_LE(blocks_max, kBlocksMax) << "of " << kJobs << " jobs, each of a block of its own";
  EXPECT_LE(outbox().deliveries_waiting(), kBlocksMax);
}

TEST_F(StoppedConsumer, KeepsNoMoreOfBatchesThatAreOver) {
  fill_the_ring();
  for (unsigned i = 0; i < kJobs; ++i) {
    submit(1, Mode::kBatch);
    if (i % 2 == 1) turn();
  }
  EXPECT_LE(blocks_max, kBlocksMax);
  EXPECT_LE(outbox().deliveries_waiting(), 2 * kBlocksMax);
}

TEST_F(StoppedConsumer, IsGivenAllThatWaitedForRoomAndIsStillItsOwnInOrder) {
  fill_the_ring();
  for (unsigned i = 0; i < 20; ++i) {
    submit(kLong);
    turn();
  }
  EXPECT_TRUE(outbox().blocked());
  const std::vector<uint64_t> all = read_all();
  EXPECT_EQ(all.size(), ids);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_FALSE(outbox().blocked());
  EXPECT_EQ(outbox().deliveries_waiting(), 0u);
}

TEST_F(StoppedConsumer, IsToldTheEndOfABatchWhoseLastJobIsNoLongerItsOwn) {
  fill_the_ring();
  const uint64_t first = ids;
  submit(kLong, Mode::kBatch);
  submit(1, Mode::kBatch);
  turn();
  submit(1, Mode::kBatch);
  submit(kLong, Mode::kBatch);
  turn();
  turn();
  const std::vector<uint64_t> all = read_all();
  const std::vector<uint64_t> waited(all.begin() + static_cast<ptrdiff_t>(first), all.end());
  EXPECT_EQ(waited, (std::vector<uint64_t>{first + 1, 0, first + 4}));
  EXPECT_TRUE(last_of_batch);
}

TEST_F(StoppedConsumer, IsNotToldToStopWhatIsNoLongerItsOwn) {
  fill_the_ring();
  const uint64_t first = ids;
  submit(1);
  turn();
  outbox().add(number, CancelNotice{Peers::kSession, latest.token, latest.id, latest.number});
  turn();
  EXPECT_EQ(read_all().size(), first);
}

// It may have begun before it was stopped.
TEST_F(StoppedConsumer, IsToldToStopWhatItWasGivenAndIsNoLongerItsOwn) {
  submit(20'000);
  turn();
  fill_the_ring();
  const uint64_t last = ids;
  for (int second = 0; second < 30; ++second) turn();
  const std::vector<uint64_t> all = read_all();
  EXPECT_EQ(std::ranges::count(all, 1u), 2) << "as a job, and as one to stop";
  EXPECT_EQ(all.size(), last + 1);
}

TEST_F(StoppedConsumer, GetsWhatIsStillItsOwnWhenItReadsAgain) {
  fill_the_ring();
  const uint64_t first = ids;
  for (unsigned i = 0; i < 10; ++i) {
    submit(i % 5 == 0 ? kLong : 1);
    turn();
  }
  turn();
  std::vector<uint64_t> expected;
  for (uint64_t i = 1; i <= first; ++i) expected.push_back(i);
  expected.insert(expected.end(), {first + 1, first + 6});
  EXPECT_EQ(read_all(), expected);
  EXPECT_EQ(peers.down().deliveries_count.load(), first + 6);
  submit(1);
  turn();
  EXPECT_EQ(read_all(), (std::vector<uint64_t>{first + 11}));
}

}  // namespace
}  // namespace pqd::test
