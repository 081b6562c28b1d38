// Out of the lanes and into the broker: order, shares, atomic submits, and what hostile clients get.
#include "daemon/engine/drain.h"

#include <set>

#include "tests/daemon/engine/fixtures.h"

namespace pqd::test {
namespace {

class NothingFinished final : public FinishedJobs {
 public:
  std::optional<JobRow> find_finished(const JobId& /*id*/) override { return std::nullopt; }
  std::optional<KeptKey> find_key(const ShortHash& /*key*/) override { return std::nullopt; }
};

class DrainTest : public ::testing::Test {
 protected:
  DrainTest() : broker(state, finished, {}), drain(broker, ports) {
    auto owned = std::make_unique<Peers>();
    peers = owned.get();
    port = &ports.add(std::move(owned->port));
    owned_ = std::move(owned);
    turn([&] {
      broker.start_epoch(1);
      broker.open_session({Peers::kSession, 0, 1, Peers::kTag, {}});
    });
  }

  template <class F>
  void turn(F&& body) {
    CommitBuilder commit(state.blocks, ++number, 0);
    broker.begin_turn(1'700'000'000 * kSecondNs, commit);
    left = false;
    body();
    left = drain.run(commit, skew_ns, enough);
    broker.end_turn();
    const Commit closed = commit.close();
    receipts = closed.effects.receipts;
    lanes = closed.effects.lanes;
    block_bytes = closed.block_bytes->size();
  }
  void turn() {
    turn([] {});
  }
  size_t jobs() const { return state.jobs.size(); }
  void ask(size_t count) {
    QueryHead head;
    head.kind = QueryKind::kHealth;
    for (size_t i = 0; i < count; ++i) {
      head.request = i + 1;
      peers->put(Lane::kControl, write_query(head, {}, {}));
    }
  }
  void submit_something() { peers->put(Lane::kNormal, peers->job(Lane::kNormal)); }
  // Records out of the control lane.
  uint64_t taken() const { return port->lane(kControlLane).position().sequence; }
  static constexpr size_t kOpenMax = SessionQuestions::kOpenMax;
  uint8_t only_code() const { return receipts.size() == 1 ? receipts.front().receipt.code : 0; }
  static constexpr auto kInvalid = static_cast<uint8_t>(Error::kInvalidRequest);

  State state;
  NothingFinished finished;
  Broker broker;
  SessionPorts ports;
  Drain drain;
  std::unique_ptr<Peers> owned_;
  Peers* peers = nullptr;
  SessionPort* port = nullptr;
  uint64_t number = 0;
  int64_t skew_ns = 0;
  std::function<bool()> enough = [] { return false; };
  bool left = false;
  std::vector<ReceiptEffect> receipts;
  std::vector<LaneEffect> lanes;
  size_t block_bytes = 0;
};

TEST_F(DrainTest, TakesTheMostUrgentLaneFirst) {
  for (const Lane lane : {Lane::kLow, Lane::kNormal, Lane::kHigh, Lane::kCritical})
    peers->put(lane, peers->job(lane));
  turn();
  ASSERT_EQ(jobs(), 4u);
  // Numbers are given in the order of arrival at the broker.
  for (JobNo no = 1; no <= 4; ++no) EXPECT_EQ(state.jobs[state.jobs.find(no)].id.lane(), 4 - no);
}

TEST_F(DrainTest, EndsATurnSoonWithSomethingUrgentInItAndLeavesNoLaneOut) {
  for (int i = 0; i < 200; ++i) {
    peers->put(Lane::kNormal, peers->job(Lane::kNormal));
    peers->put(Lane::kLow, peers->job(Lane::kLow));
  }
  peers->put(Lane::kCritical, peers->job(Lane::kCritical));
  turn();
  EXPECT_TRUE(left);
  EXPECT_EQ(jobs(), 1u + 64 + 64) << "the urgent one, and a round of each other lane";
  EXPECT_TRUE(drain.took_urgent());
  turn();
  EXPECT_EQ(jobs(), 401u);
  EXPECT_FALSE(left);
  EXPECT_FALSE(drain.took_urgent());
}

TEST_F(DrainTest, EndsATurnBehindTheRoundInWhichSomethingElseCameThatDoesNotWait) {
  for (int i = 0; i < 200; ++i) peers->put(Lane::kLow, peers->job(Lane::kLow));
  int rounds = 0;
  enough = [&] { return ++rounds == 2; };
  turn();
  EXPECT_TRUE(left);
  EXPECT_EQ(jobs(), 2u * 64);
  turn();
  EXPECT_FALSE(left);
  EXPECT_EQ(jobs(), 200u);
}

// Several commits' worth from more sessions than one commit takes a quantum of.
TEST_F(DrainTest, BeginsWhereTheCommitBeforeWasFull) {
  constexpr uint32_t kSessions = 80;
  constexpr uint32_t kFirst = 100;
  constexpr uint32_t kRecordsEach = 110;
  std::vector<std::unique_ptr<Peers>> many;
  for (uint32_t session = kFirst; session < kFirst + kSessions; ++session) {
    many.push_back(std::make_unique<Peers>(SessionEntry{}, session));
    ports.add(std::move(many.back()->port));
    for (uint32_t i = 0; i < kRecordsEach; ++i)
      many.back()->put(Lane::kNormal, many.back()->job(Lane::kNormal, 1, 0, std::string(400, 'x')));
  }
  std::set<SessionNo> served;
  unsigned turns = 0;
  while (served.size() < kSessions) {
    turn([&] {
      if (turns != 0) return;
      for (uint32_t session = kFirst; session < kFirst + kSessions; ++session)
        broker.open_session({session, 0, 1, session, {}});
    });
    ++turns;
    std::set<SessionNo> again;
    for (const LaneEffect& lane : lanes) {
      if (!served.insert(lane.session).second) again.insert(lane.session);
    }
    ASSERT_TRUE(left) << "all was read in " << turns << " turns, and " << served.size() << " were served";
    if (served.size() < kSessions) {
      ASSERT_TRUE(again.empty()) << "some wait while others are served again";
    }
  }
  EXPECT_GT(turns, 2u) << "a commit takes nearly everything: the test needs more sessions";
}

TEST_F(DrainTest, TellsHowFarEachLaneWasRead) {
  peers->put(Lane::kLow, peers->job(Lane::kLow));
  peers->put(Lane::kLow, peers->job(Lane::kLow));
  turn();
  ASSERT_EQ(lanes.size(), 1u);
  EXPECT_EQ(lanes[0].lane, lane_index(Lane::kLow));
  EXPECT_EQ(lanes[0].position.seq, 2u);
  EXPECT_EQ(lanes[0].position.bytes, peers->writer(Lane::kLow).published());
}

TEST_F(DrainTest, DoesNothingWhenNothingCame) {
  turn();
  turn();
  EXPECT_TRUE(lanes.empty());
  EXPECT_EQ(block_bytes, 0u);
}

TEST_F(DrainTest, TakesAnAtomicSubmitWhole) {
  for (uint32_t i = 0; i < 3; ++i) peers->put(Lane::kNormal, peers->job(Lane::kNormal, 3, i));
  turn();
  EXPECT_EQ(jobs(), 3u);
  EXPECT_TRUE(receipts.empty());
}

TEST_F(DrainTest, RefusesAnAtomicSubmitOfWhichAPartIsMissing) {
  for (uint32_t i = 0; i < 2; ++i) peers->put(Lane::kNormal, peers->job(Lane::kNormal, 3, i));
  turn();
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(receipts.size(), 2u);
  EXPECT_EQ(block_bytes, 0u);
  EXPECT_EQ(lanes.at(0).position.seq, 2u);
}

TEST_F(DrainTest, RefusesAnAtomicSubmitWhosePartsAreOutOfOrder) {
  for (const uint32_t i : {0u, 2u, 1u}) peers->put(Lane::kNormal, peers->job(Lane::kNormal, 3, i));
  turn();
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(receipts.size(), 3u);
}

TEST_F(DrainTest, RefusesThePartOfAnAtomicSubmitThatStandsAlone) {
  peers->put(Lane::kNormal, peers->job(Lane::kNormal, 3, 1));
  turn();
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(only_code(), kInvalid);
}

TEST_F(DrainTest, RefusesARecordThatIsNoSubmitInALaneOfSubmits) {
  Bytes record = peers->job(Lane::kNormal);
  record[offsetof(RecordHead, kind)] = static_cast<std::byte>(RecordKind::kComplete);
  peers->put(Lane::kNormal, record);
  turn();
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(only_code(), kInvalid);
  EXPECT_EQ(block_bytes, 0u);
}

TEST_F(DrainTest, RefusesTheSmallestRecordThereIs) {
  for (const Lane lane : {Lane::kNormal, Lane::kControl}) {
    RecordHead head{.size_bytes = sizeof head, .kind = static_cast<uint8_t>(RecordKind::kSubmit)};
    Bytes record(sizeof head);
    std::memcpy(record.data(), &head, sizeof head);
    peers->put(lane, record);
    turn();
    EXPECT_EQ(only_code(), kInvalid) << lane_index(lane);
  }
}

TEST_F(DrainTest, KeepsQuestionsForAfterTheTurn) {
  QueryHead head;
  head.kind = QueryKind::kHealth;
  head.request = 9;
  peers->put(Lane::kControl, write_query(head, {}, {}));
  turn();
  ASSERT_EQ(port->questions().waiting(), 1u);
  ASSERT_TRUE(port->may_answer());
  EXPECT_TRUE(read_query(port->questions().begin()).has_value());
  EXPECT_FALSE(port->may_answer());
}

TEST_F(DrainTest, TakesNoMoreQuestionsThanMayBeOpenAndGoesOnAsTheyAreAnswered) {
  ask(3 * kOpenMax);
  submit_something();
  turn();
  EXPECT_EQ(port->questions().waiting(), kOpenMax);
  EXPECT_EQ(jobs(), 1u) << "other lanes are not held up";
  EXPECT_FALSE(port->refresh());
  for (size_t i = 0; i < SessionQuestions::kUnderWayMax; ++i) port->questions().begin();
  EXPECT_FALSE(port->may_answer());
  turn();
  EXPECT_EQ(taken(), kOpenMax) << "those under way count";
  port->questions().end();
  EXPECT_TRUE(port->may_answer());
  turn();
  EXPECT_EQ(taken(), kOpenMax + 1);
}

TEST_F(DrainTest, BeginsNoAnswerForAClientThatDoesNotReadThem) {
  ask(1);
  turn();
  port->outbox().add_answer(Bytes(peers->sizes.answers_bytes));
  EXPECT_FALSE(port->may_answer());
  EXPECT_TRUE(port->held_back(kControlLane));
}

TEST_F(DrainTest, TakesWhatStandsBehindTheQuestionsOfAClientThatHasGone) {
  ask(3 * kOpenMax);
  peers->put(Lane::kControl, write_unsubscribe(1));
  turn();
  port->leave();
  EXPECT_EQ(port->questions().waiting(), 0u);
  turn();
  EXPECT_EQ(taken(), 3 * kOpenMax + 1);
  EXPECT_EQ(port->questions().waiting(), 0u);
}

TEST_F(DrainTest, KeepsNoMoreOfARecordThanAQuestionCanHave) {
  QueryHead head;
  head.kind = QueryKind::kHealth;
  Bytes record = write_query(head, {}, {});
  record.resize(8'000);
  const auto bytes = static_cast<uint32_t>(record.size());
  std::memcpy(record.data(), &bytes, sizeof bytes);
  peers->put(Lane::kControl, record);
  turn();
  const Bytes kept = port->questions().begin();
  EXPECT_LE(kept.size(), 1'024u);
  EXPECT_FALSE(read_query(kept).has_value()) << "it is as wrong as it was";
}

TEST_F(DrainTest, StopsAtATailThatCannotBeAndReadsNothingMore) {
  peers->put(Lane::kNormal, peers->job(Lane::kNormal));
  peers->up.header().tail[lane_index(Lane::kHigh)].store(uint64_t{1} << 40);
  turn();
  EXPECT_EQ(port->violation(), RingViolation::kTailBeyondCapacity);
  EXPECT_EQ(jobs(), 1u) << "the other lane's record was good";
}

TEST_F(DrainTest, StopsAtARecordThatSaysItIsLargerThanHalfTheLane) {
  Bytes record = peers->job(Lane::kNormal);
  const uint32_t lie = peers->sizes.lane_bytes[1];
  std::memcpy(record.data(), &lie, sizeof lie);
  peers->put(Lane::kNormal, record);
  turn();
  EXPECT_EQ(port->violation(), RingViolation::kRecordTooLarge);
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(DrainTest, TakesNothingFromAFaultySession) {
  port->faulty = true;
  peers->put(Lane::kNormal, peers->job(Lane::kNormal));
  turn();
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(DrainTest, GoesOnWhereTheStoreSaysTheLastEngineStopped) {
  peers->put(Lane::kNormal, peers->job(Lane::kNormal));
  turn();
  SessionEntry entry;
  entry.lanes[lane_index(Lane::kNormal)] = {1, peers->writer(Lane::kNormal).published()};
  SessionGrant grant = port->grant();
  grant.up_fd = ::dup(peers->files.up.get());
  grant.down_fd = ::dup(peers->files.down.get());
  grant.client_doorbell_fd = grant.engine_doorbell_fd = -1;
  ports.remove(Peers::kSession);
  port = &ports.add(SessionPort::open(grant, entry).value());
  peers->put(Lane::kNormal, peers->job(Lane::kNormal));
  turn();
  EXPECT_EQ(jobs(), 2u);
  EXPECT_TRUE(receipts.empty());
  EXPECT_EQ(lanes.at(0).position.seq, 2u);
}

// Now is 1'700'000'000 s by the broker's clock, and an hour earlier by that of who asks for a start in a
// minute.
TEST_F(DrainTest, TakesAStartThatIsAskedForByTheClockThatClientsHave) {
  constexpr int64_t kHourMs = 3'600'000;
  const int64_t start_ms = 1'700'000'000'000 - kHourMs + 60'000;
  const auto job = [&](int64_t not_before_ms, uint32_t count = 1, uint32_t index = 0) {
    Bytes record = peers->job(Lane::kNormal, count, index);
    std::memcpy(record.data() + offsetof(SubmitHead, not_before_ms), &not_before_ms, sizeof not_before_ms);
    return record;
  };
  skew_ns = -kHourMs * kMillisecondNs;
  peers->put(Lane::kNormal, job(start_ms));
  peers->put(Lane::kNormal, job(start_ms, 2, 0));
  peers->put(Lane::kNormal, job(start_ms, 2, 1));
  peers->put(Lane::kNormal, job(0));
  peers->put(Lane::kNormal, job(limits::kUnixMsMax));
  turn();
  ASSERT_EQ(jobs(), 5u);
  const auto starts_after = [&](JobNo no) {
    return state.jobs.times(state.jobs.find(no)).start_after_ns / kMillisecondNs;
  };
  for (JobNo no = 1; no <= 3; ++no) EXPECT_EQ(starts_after(no), start_ms + kHourMs) << no;
  EXPECT_EQ(starts_after(4), 0) << "at once is no time";
  EXPECT_EQ(starts_after(5), limits::kUnixMsMax);
  peers->put(Lane::kNormal, job(limits::kUnixMsMax + 1));
  turn();
  EXPECT_EQ(only_code(), kInvalid) << "what is out of range stays so";
}

}  // namespace
}  // namespace pqd::test
