// Schedules through the broker: set, fired, waiting, missed, removed; who may; never twice.
#include "core/civil.h"
#include "core/schedule_info.h"
#include "tests/core/driver.h"
#include "tests/core/made_zone.h"

namespace pqd::test {
namespace {

constexpr TimeNs kMinuteNs = 60 * kSecondNs;

struct Job {
  std::string queue = "default";
  std::string type = "report";
  std::string payload = "all of it";
  std::string ordering_key = {};
  std::string idempotency_key = {};
  std::string subject = {};
  Durability durability = Durability::kFsync;
  int64_t not_before_ms = 0;
  uint8_t priority = kPriorityNormal;
  uint32_t queue_timeout_ms = 0;
};

Bytes job_record(const Job& job) {
  SubmitView view;
  view.head.id = JobId::make(1, 0, 0, 1);
  view.head.queue_timeout_ms = job.queue_timeout_ms;
  view.head.not_before_ms = job.not_before_ms;
  view.head.priority = job.priority;
  view.head.mode = static_cast<uint8_t>(Mode::kPriority);
  view.head.durability = static_cast<uint8_t>(job.durability);
  view.queue = job.queue;
  view.type = job.type;
  view.ordering_key = job.ordering_key;
  view.idempotency_key = job.idempotency_key;
  view.subject = job.subject;
  view.payload = as_bytes(job.payload);
  Bytes record(submit_record_bytes(view));
  write_submit_record(view, record);
  return record;
}

Bytes cron_set(std::string_view name, std::string_view spec, const Job& job = {}, bool replace = false,
               std::string_view zone = "UTC") {
  const Bytes record = job_record(job);
  return write_cron_set({{}, replace, name, spec, zone, record});
}

Bytes sent_again(Bytes record) {
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  head.flags |= kFlagResubmitted;
  std::memcpy(record.data(), &head, sizeof head);
  return record;
}

// The driver starts at 22:13:20.
struct ScheduleTest : ::testing::Test {
  explicit ScheduleTest(BrokerOptions options = {}) : d(std::move(options)) {}

  const Schedule& schedule(std::string_view name) { return *d.state.tables.schedules().find(name); }
  // The clock stands there, one turn has passed.
  void at(TimeNs time) {
    d.now_ns = time;
    d.idle();
  }
  size_t jobs() { return d.state.jobs.size(); }
  // The job of the run that was due then.
  JobCore run_of(std::string_view name, TimeNs due) { return d.core(run_id(name, due)); }

  Driver d;
  SessionNo admin = d.open(kAdminUid);
  SessionNo user = d.open();
};

constexpr TimeNs kNextMinute = kStartNs / kMinuteNs * kMinuteNs + kMinuteNs;

TEST_F(ScheduleTest, FiresAtItsTimeAndNotBefore) {
  ASSERT_EQ(d.command(admin, cron_set("tick", "* * * * *")), Error::kOk);
  EXPECT_EQ(schedule("tick").due_ns, kNextMinute);
  EXPECT_EQ(d.broker.next_timer_ns(), kNextMinute);
  at(kNextMinute - 1);
  EXPECT_EQ(jobs(), 0u);
  at(kNextMinute);
  ASSERT_EQ(jobs(), 1u);
  const JobRow row = d.row(run_id("tick", kNextMinute));
  EXPECT_EQ(row.core.owner_uid, kAdminUid) << "whoever added the schedule";
  EXPECT_EQ(row.core.state, JobState::kPending);
  EXPECT_EQ(read_submit_record(row.record)->payload.size(), 9u);
  EXPECT_EQ(d.state.tables.type(row.core.type), "report");
  EXPECT_EQ(schedule("tick").due_ns, kNextMinute + kMinuteNs);
  EXPECT_EQ(schedule("tick").last_ns, kNextMinute);
  EXPECT_TRUE(d.commits.back().needs_sync) << "the job is as durable as the schedule asks for";
}

TEST_F(ScheduleTest, JobOfARunIsAJobLikeAnyOther) {
  d.command(admin, cron_set("tick", "* * * * *", {.priority = 20}));
  d.subscribe(user, 1, {"report"});
  at(kNextMinute);
  const Delivered job = d.take_one(user);
  EXPECT_EQ(job.id, run_id("tick", kNextMinute));
  EXPECT_EQ(job.payload, "all of it");
  EXPECT_EQ(d.fail(user, job), Error::kOk);
  d.advance_ms(1'000);
  EXPECT_EQ(d.complete(user, d.take_one(user)), Error::kOk);
  EXPECT_EQ(run_of("tick", kNextMinute).state, JobState::kCompleted);
}

TEST(ScheduleOfAPartition, MakesRunsWhoseIdsLeadToItAndIsForItsOwnQueues) {
  BrokerOptions options;
  options.partitions = 2;
  options.partition = partition_of("default", 2) == 0 ? 1 : 0;
  Driver d(options);
  const SessionNo admin = d.open(kAdminUid);
  EXPECT_EQ(d.command(admin, cron_set("tick", "* * * * *")), Error::kInvalidRequest)
      << "of the other's queue";
  std::string queue = "a";
  while (d.broker.is_elsewhere(queue)) queue += "a";
  ASSERT_EQ(d.command(admin, cron_set("tick", "* * * * *", {.queue = queue})), Error::kOk);
  d.advance_ms(60'000);
  const uint32_t tag = make_tag(0, options.partition, 2);
  EXPECT_EQ(d.core(run_id("tick", kNextMinute, tag)).state, JobState::kPending);
  const ScheduleInfo info =
      schedule_info(d.state.tables, *d.state.tables.schedules().find("tick"), d.broker.run_tag());
  EXPECT_EQ(info.last_id.tag(), tag);
  EXPECT_EQ(partition_of_tag(tag, 2), options.partition);
}

TEST_F(ScheduleTest, RunsOfOneOrderingKeyStandInLine) {
  d.command(admin, cron_set("tick", "* * * * *", {.ordering_key = "k"}));
  at(kNextMinute);
  at(kNextMinute + kMinuteNs);
  EXPECT_EQ(run_of("tick", kNextMinute).pending, Pending::kReady);
  EXPECT_EQ(run_of("tick", kNextMinute + kMinuteNs).pending, Pending::kHeld);
}

TEST_F(ScheduleTest, MissedRunsAreMadeUpForOnceThenTheRegularOnesGoOn) {
  d.command(admin, cron_set("tick", "* * * * *"));
  const TimeNs late = kNextMinute + 1'000 * kMinuteNs + 7 * kSecondNs;
  at(late);
  EXPECT_EQ(jobs(), 1u);
  EXPECT_EQ(run_of("tick", kNextMinute).created_ns, late);
  d.idle();
  EXPECT_EQ(jobs(), 1u);
  EXPECT_EQ(schedule("tick").due_ns, kNextMinute + 1'001 * kMinuteNs);
  at(kNextMinute + 1'001 * kMinuteNs);
  EXPECT_EQ(jobs(), 2u);
}

TEST_F(ScheduleTest, IntervalsKeepTheirBeatOverMissedRuns) {
  d.command(admin, cron_set("beat", "@every 90s"));
  const TimeNs first = kStartNs + 90 * kSecondNs;
  EXPECT_EQ(schedule("beat").due_ns, first);
  at(first + 10 * 90 * kSecondNs + 1);
  EXPECT_EQ(jobs(), 1u);
  EXPECT_EQ(schedule("beat").due_ns, first + 11 * 90 * kSecondNs);
}

TEST_F(ScheduleTest, ClockThatGoesBackFiresNothingTwice) {
  d.command(admin, cron_set("tick", "* * * * *"));
  at(kNextMinute);
  at(kStartNs);
  at(kNextMinute);
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(ScheduleTest, RunThatIsKnownAlreadyIsNotMadeAgain) {
  d.command(admin, cron_set("tick", "* * * * *"));
  at(kNextMinute - 1);
  JobRow done;
  done.core.id = run_id("tick", kNextMinute);
  done.core.state = JobState::kCompleted;
  d.store.rows[done.core.id] = done;
  at(kNextMinute);
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(schedule("tick").last_code, static_cast<uint8_t>(Error::kDuplicateRequest));
  at(kNextMinute + kMinuteNs);
  EXPECT_EQ(jobs(), 1u) << "the next one is another run";
}

TEST_F(ScheduleTest, IdsOfRunsDifferByNameAndTimeAndAreNoSessions) {
  EXPECT_NE(run_id("a", kNextMinute), run_id("b", kNextMinute));
  EXPECT_NE(run_id("a", kNextMinute), run_id("a", kNextMinute + kMinuteNs));
  EXPECT_EQ(run_id("a", kNextMinute).tag(), JobId::kScheduleTag);
  EXPECT_EQ(run_id("a", kNextMinute).unix_ms(), static_cast<uint64_t>(kNextMinute / kMillisecondNs));
  EXPECT_TRUE(run_id("a", kNextMinute).well_formed());
  // Nobody else can submit under such an id, not even as a resubmission.
  d.submit_as(admin, run_id("a", kNextMinute), {.flags = kFlagResubmitted});
  EXPECT_EQ(d.refusal_of(run_id("a", kNextMinute)), Error::kUnauthorized);
}

struct SmallQueueScheduleTest : ScheduleTest {
  SmallQueueScheduleTest() : ScheduleTest(small()) {}
  static BrokerOptions small() {
    BrokerOptions options;
    options.defaults.max_depth = 1;
    options.defaults.max_bytes = 100;
    options.defaults.admission_timeout_ms = 3'600'000;
    return options;
  }
};

TEST_F(SmallQueueScheduleTest, RunThatFindsNoRoomWaitsAndTheOthersAreSkipped) {
  d.command(admin, cron_set("tick", "* * * * *"));
  const JobId filler = d.submit(user);
  at(kNextMinute);
  EXPECT_EQ(jobs(), 1u);
  EXPECT_TRUE(schedule_info(d.state.tables, schedule("tick")).waiting);
  EXPECT_EQ(d.broker.next_timer_ns(), std::nullopt) << "nothing to look at before there is room";
  at(kNextMinute + 10 * kMinuteNs);
  const JobId parked = d.submit(user);
  ASSERT_EQ(d.command(user, write_cancel(filler, false)), Error::kOk);
  EXPECT_EQ(run_of("tick", kNextMinute).state, JobState::kPending) << "before those that came later";
  EXPECT_EQ(d.core(parked).pending, Pending::kParked);
  EXPECT_EQ(schedule("tick").due_ns, kNextMinute + 11 * kMinuteNs);
}

TEST_F(SmallQueueScheduleTest, RunGoesBehindTheWaitingSubmitsOfItsOrderingKey) {
  d.command(admin, cron_set("tick", "* * * * *", {.ordering_key = "k"}));
  const JobId filler = d.submit(user);
  const JobId parked = d.submit(user, {.ordering_key = "k"});
  at(kNextMinute);
  ASSERT_EQ(d.command(user, write_cancel(filler, false)), Error::kOk);
  EXPECT_EQ(d.core(parked).pending, Pending::kReady);
  EXPECT_EQ(d.state.jobs.find(run_id("tick", kNextMinute)), kNoSlot);
  ASSERT_EQ(d.command(user, write_cancel(parked, false)), Error::kOk);
  EXPECT_EQ(run_of("tick", kNextMinute).pending, Pending::kReady);
}

TEST_F(SmallQueueScheduleTest, RunThatCanNeverFitIsMissedAndSaysWhy) {
  d.command(admin, cron_set("tick", "* * * * *", {.payload = std::string(101, 'x')}));
  at(kNextMinute);
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(schedule("tick").last_code, static_cast<uint8_t>(Error::kPayloadTooLarge));
  EXPECT_EQ(schedule("tick").due_ns, kNextMinute + kMinuteNs);
}

TEST_F(ScheduleTest, DrainedQueueMakesTheRunWait) {
  d.command(admin, cron_set("tick", "* * * * *"));
  d.command(admin, write_queue_control(QueueAction::kDrain, "default"));
  at(kNextMinute + kMinuteNs);
  EXPECT_EQ(jobs(), 0u);
  d.command(admin, write_queue_control(QueueAction::kResume, "default"));
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(ScheduleTest, FullDiskMakesTheRunWaitAndIsLookedAtAgain) {
  d.command(admin, cron_set("tick", "* * * * *"));
  d.broker.set_intake(Error::kNoSpace);
  at(kNextMinute);
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(d.broker.next_timer_ns(), kNextMinute + kSecondNs);
  d.broker.set_intake(Error::kOk);
  at(kNextMinute + kSecondNs);
  EXPECT_EQ(jobs(), 1u);
}

struct ZonedScheduleTest : ScheduleTest {
  ZonedScheduleTest() : ScheduleTest(zoned()) {}
  static BrokerOptions zoned() {
    BrokerOptions options;
    options.zones = &zones;
    return options;
  }
  ~ZonedScheduleTest() override { zones.there = true; }
  static inline MadeZones zones{"Asia/Kolkata", MadeZone(19'800, {})};
};

TEST_F(ZonedScheduleTest, FiresByTheClocksOfItsZone) {
  ASSERT_EQ(d.command(admin, cron_set("daily", "0 4 * * *", {}, false, "Asia/Kolkata")), Error::kOk);
  // 2023-11-14 22:30 UTC is 04:00 of the 15th there.
  EXPECT_EQ(schedule("daily").due_ns, (days_of({2023, 11, 14}) * 86'400 + 22 * 3'600 + 1'800) * kSecondNs);
}

TEST_F(ZonedScheduleTest, UnknownZoneIsRefusedAndALostOneMakesTheRunWait) {
  EXPECT_EQ(d.command(admin, cron_set("x", "@daily", {}, false, "Mars/Olympus")), Error::kInvalidRequest);
  ASSERT_EQ(d.command(admin, cron_set("tick", "* * * * *", {}, false, "Asia/Kolkata")), Error::kOk);
  zones.there = false;
  at(kNextMinute);
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(d.broker.next_timer_ns(), kNextMinute + kSecondNs);
  zones.there = true;
  at(kNextMinute + kSecondNs);
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(ScheduleTest, IsReplacedOnlyWhenThatIsSaid) {
  d.command(admin, cron_set("tick", "* * * * *"));
  EXPECT_EQ(d.command(admin, cron_set("tick", "@hourly")), Error::kDuplicateRequest);
  EXPECT_EQ(schedule("tick").spec, "* * * * *");
  EXPECT_EQ(d.command(admin, cron_set("tick", "@hourly", {.type = "other"}, true)), Error::kOk);
  EXPECT_EQ(schedule("tick").spec, "@hourly");
  EXPECT_EQ(d.state.tables.type(schedule("tick").type), "other");
  EXPECT_EQ(d.command(admin, cron_set("new", "@hourly", {}, true)), Error::kOk);
}

TEST_F(ScheduleTest, SentAgainCountsOnce) {
  const Bytes set = cron_set("tick", "* * * * *");
  d.command(admin, set);
  EXPECT_EQ(d.command(admin, sent_again(set)), Error::kOk);
  EXPECT_EQ(d.command(admin, sent_again(cron_set("tick", "@hourly"))), Error::kDuplicateRequest);
  EXPECT_EQ(d.command(admin, write_cron_remove("tick")), Error::kOk);
  EXPECT_EQ(d.command(admin, sent_again(write_cron_remove("tick"))), Error::kOk);
  EXPECT_EQ(d.command(admin, write_cron_remove("tick")), Error::kNotFound);
}

TEST_F(ScheduleTest, RemovedOneFiresNoMoreItsJobsStay) {
  d.command(admin, cron_set("tick", "* * * * *"));
  at(kNextMinute);
  EXPECT_EQ(d.command(admin, write_cron_remove("tick")), Error::kOk);
  at(kNextMinute + 5 * kMinuteNs);
  EXPECT_EQ(jobs(), 1u);
  EXPECT_EQ(d.broker.next_timer_ns(), std::nullopt);
}

TEST_F(ScheduleTest, IsForAdminsAndUnseenByOthers) {
  EXPECT_EQ(d.command(user, cron_set("tick", "* * * * *")), Error::kUnauthorized);
  d.command(admin, cron_set("tick", "* * * * *"));
  EXPECT_EQ(d.command(user, write_cron_remove("tick")), Error::kNotFound);
  EXPECT_NE(d.state.tables.schedules().find("tick"), nullptr);
}

TEST_F(ScheduleTest, WhatMakesNoSenseInASchedulesJobIsRefused) {
  const auto answer = [&](const Job& job) { return d.command(admin, cron_set("x", "@hourly", job)); };
  EXPECT_EQ(answer({.idempotency_key = "k"}), Error::kInvalidRequest);
  EXPECT_EQ(answer({.not_before_ms = 1}), Error::kInvalidRequest);
  EXPECT_EQ(answer({.durability = Durability::kMemory}), Error::kInvalidRequest);
  EXPECT_EQ(answer({.payload = std::string(17 * 1024, 'x')}), Error::kPayloadTooLarge);
  EXPECT_EQ(answer({.priority = 21}), Error::kInvalidPriority);
  EXPECT_EQ(answer({.type = "a b"}), Error::kInvalidRequest);
  EXPECT_EQ(d.command(admin, cron_set("x", "61 * * * *")), Error::kInvalidRequest);
  EXPECT_EQ(d.command(admin, cron_set("a b", "@hourly")), Error::kInvalidRequest);
  EXPECT_EQ(d.command(admin, cron_set("x", "@hourly", {}, false, "../etc")), Error::kInvalidRequest);
  Bytes cut = cron_set("x", "@hourly");
  cut.pop_back();
  EXPECT_EQ(d.command(admin, cut), Error::kInvalidRequest);
  EXPECT_TRUE(d.state.tables.schedules().all().empty());
  EXPECT_EQ(answer({.durability = Durability::kOs}), Error::kOk);
}

TEST_F(ScheduleTest, ThereAreSoManyAtMostAndNoMore) {
  for (uint32_t i = 0; i < limits::kSchedulesMax; ++i)
    ASSERT_EQ(d.command(admin, cron_set("s" + std::to_string(i), "@yearly", {.payload = ""})), Error::kOk)
        << i;
  EXPECT_EQ(d.command(admin, cron_set("more", "@yearly")), Error::kInvalidRequest);
  EXPECT_EQ(d.command(admin, cron_set("s7", "@yearly", {}, true)), Error::kOk);
}

TEST_F(ScheduleTest, TheirRecordsTogetherAreBounded) {
  const Job large{.payload = std::string(16'000, 'x')};
  Error error = Error::kOk;
  size_t count = 0;
  while (error == Error::kOk)
    error = d.command(admin, cron_set("s" + std::to_string(count++), "@yearly", large));
  EXPECT_EQ(error, Error::kPayloadTooLarge);
  EXPECT_LE(d.state.tables.schedules().record_bytes(), limits::kScheduleBytesMax);
  EXPECT_EQ(d.command(admin, cron_set("s0", "@hourly", large, true)), Error::kOk) << "in the place of itself";
}

TEST_F(ScheduleTest, StandInTheCheckpointAndOldTablesHaveNone) {
  d.command(admin, cron_set("tick", "* * * * *"));
  at(kNextMinute);
  const Bytes bytes = d.state.tables.encode();
  const auto tables = Tables::decode(bytes);
  ASSERT_TRUE(tables);
  ASSERT_NE(tables->schedules().find("tick"), nullptr);
  EXPECT_EQ(tables->schedules().next_due_ns(kNextMinute), kNextMinute + kMinuteNs);
  // Cut between two sections they are what an older pqd wrote; the schedules come before the last three.
  int older = 0;
  for (size_t size = bytes.size() - 1; size > bytes.size() - 60; --size) {
    const auto cut = Tables::decode(ByteView(bytes).first(size));
    if (!cut) continue;
    ++older;
    EXPECT_NE(cut->schedules().find("tick"), nullptr) << size;
  }
  EXPECT_EQ(older, 3);
}

TEST_F(ScheduleTest, InfoGoesThroughBytes) {
  d.command(admin, cron_set("tick", "* * * * *"));
  at(kNextMinute);
  const ScheduleInfo info = schedule_info(d.state.tables, schedule("tick"));
  EXPECT_EQ(info.last_id, run_id("tick", kNextMinute));
  const auto read = decode_schedule_info(encode(info));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), encode(info));
  EXPECT_EQ(read->name, "tick");
  EXPECT_EQ(read->payload_bytes, 9u);
  EXPECT_FALSE(read->waiting);
}

}  // namespace
}  // namespace pqd::test
