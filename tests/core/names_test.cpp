// Names of queues and types: who may add to them, and that one user cannot take all there can be.
#include <algorithm>

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

constexpr uint32_t kStranger = 2000;

struct Names : ::testing::Test {
  Driver d;
  SessionNo user = d.open();
  SessionNo stranger = d.open(kStranger);
  SessionNo admin = d.open(kAdminUid);
  uint64_t next_name = 0;

  // To types that nobody named yet; always the same subscription.
  Bytes subscription(size_t types) {
    std::vector<std::string> names;
    for (size_t i = 0; i < types; ++i) names.push_back("new." + std::to_string(next_name++));
    return write_subscribe({1, 1, "default", {names.begin(), names.end()}});
  }
  // In one turn. How many types were named.
  size_t name_types(SessionNo session, size_t types) {
    const size_t before = d.state.tables.type_count();
    d.turn([&](CommitBuilder&) {
      for (uint64_t seq = 1; types > 0; ++seq) {
        const size_t some = std::min<size_t>(types, limits::kSubscriptionTypesMax);
        d.broker.control(session, seq, subscription(some));
        types -= some;
      }
    });
    return d.state.tables.type_count() - before;
  }
};

TEST_F(Names, OneUsersTypesLeaveRoomForOthers) {
  EXPECT_EQ(name_types(user, limits::kTypesMax + 400), limits::kTypesPerUserMax);
  EXPECT_EQ(d.refusal_of(d.submit(stranger, {.type = "strangers"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(admin, {.type = "admins"})), Error::kOk);
  EXPECT_EQ(d.command(stranger, subscription(1)), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(user, {.type = "users"})), Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(), {.type = "users"})), Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit_batch(user, {{.type = "new.1"}, {.type = "users"}}).back()),
            Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit(user, {.type = "new.1"})), Error::kOk) << "it is there";
  EXPECT_EQ(d.refusal_of(d.submit(user, {.type = "strangers"})), Error::kOk);
}

TEST_F(Names, OneUsersQueuesLeaveRoomForOthers) {
  d.turn([&](CommitBuilder&) {
    for (uint32_t i = 0; i <= limits::kQueuesMax; ++i)
      d.broker.control(user, i + 1, write_subscribe({1, 1, "q" + std::to_string(i), {}}));
  });
  const size_t taken = d.state.tables.queue_count();
  EXPECT_EQ(taken, limits::kQueuesPerUserMax + 1) << "and the default one, which is nobody's";
  EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = "users"})), Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit(stranger, {.queue = "strangers"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = "strangers"})), Error::kOk) << "it is there";
  EXPECT_EQ(d.subscribe(admin, 1, {}, "admins"), Error::kOk);
  EXPECT_EQ(d.state.tables.queue_count(), taken + 2);
}

TEST_F(Names, AdministratorsAreNotCounted) {
  EXPECT_EQ(name_types(admin, limits::kTypesMax + 400), limits::kTypesMax);
  EXPECT_EQ(d.refusal_of(d.submit(user, {.type = "users"})), Error::kInvalidRequest);
}

TEST_F(Names, StoreFromBeforeTheyWereCountedCountsFromNow) {
  name_types(user, 5);
  Bytes with_counts = d.state.tables.encode();
  const auto again = Tables::decode(with_counts);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->names_taken(kUid).types, 5u);
  with_counts.resize(with_counts.size() - 5);  // one user: its number, queues and types behind their count
  const auto before = Tables::decode(with_counts);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->type_count(), 5u);
  EXPECT_EQ(before->names_taken(kUid).types, 0u);
}

TEST_F(Names, RefusedSubmitNamesNoType) {
  BrokerOptions options;
  options.defaults.max_depth = 1;
  options.defaults.admission_timeout_ms = 0;
  Driver full(options);
  const SessionNo s = full.open();
  full.submit(s, {.type = "known"});
  EXPECT_EQ(full.refusal_of(full.submit(s, {.type = "one"})), Error::kQueueFull);
  EXPECT_EQ(full.refusal_of(full.submit_batch(s, {{.type = "two"}, {.type = "three"}}).back()),
            Error::kQueueFull);
  ASSERT_EQ(full.command(full.open(kAdminUid), write_queue_control(QueueAction::kDrain, "default")),
            Error::kOk);
  EXPECT_EQ(full.refusal_of(full.submit(s, {.type = "four"})), Error::kUnavailable);
  EXPECT_EQ(full.refusal_of(full.submit_batch(s, {{.type = "five"}, {.type = "six"}}).back()),
            Error::kUnavailable);
  EXPECT_EQ(full.state.tables.type_count(), 1u);
}

TEST_F(Names, RefusedOneOfManyNamesNothing) {
  const size_t types = limits::kTypesPerUserMax - 1;
  ASSERT_EQ(name_types(user, types), types);
  EXPECT_EQ(d.subscribe(user, 1, {"a", "b"}, "queue"), Error::kInvalidRequest);
  EXPECT_EQ(
      d.refusal_of(
          d.submit_batch(user, {{.queue = "queue", .type = "a"}, {.queue = "queue", .type = "b"}}).back()),
      Error::kInvalidRequest);
  EXPECT_EQ(d.state.tables.type_count(), types);
  EXPECT_FALSE(d.state.tables.find_queue("queue").has_value());
  EXPECT_EQ(d.subscribe(user, 1, {"a", "a"}, "queue"), Error::kOk) << "twice the same counts once";
  EXPECT_EQ(d.state.tables.type_count(), types + 1);
}

}  // namespace
}  // namespace pqd::test
