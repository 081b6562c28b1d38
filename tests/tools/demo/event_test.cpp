#include "tools/demo/event.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tools/demo/child.h"
#include "tools/demo/tally.h"

namespace pqd::demo {
namespace {

Event durable(uint32_t file, uint64_t job, int64_t at_ns = 10, int64_t took_ns = 5) {
  return {Event::Kind::kDurable, file, JobId{1, job}, at_ns, took_ns};
}
Event settled(uint64_t job) { return {Event::Kind::kSettled, 0, JobId{1, job}, 0, 0}; }

TEST(Events, ComeOutOfThePipeAsTheyWentIn) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  ::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
  EventWriter writer(pipe->write.get());
  for (uint32_t i = 0; i < 1'500; ++i) writer.add(durable(i, i + 1));
  EXPECT_TRUE(writer.flush());
  std::vector<Event> events;
  EXPECT_TRUE(read_events(pipe->read.get(), events));
  ASSERT_EQ(events.size(), 1'500u);
  for (uint32_t i = 0; i < 1'500; ++i) EXPECT_EQ(events[i].file, i);
  pipe->write.reset();
  EXPECT_FALSE(read_events(pipe->read.get(), events));
}

TEST(Events, OfAWriterWithoutAReaderAreAnError) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  pipe->read.reset();
  ::signal(SIGPIPE, SIG_IGN);
  EventWriter writer(pipe->write.get());
  writer.add(durable(0, 1));
  EXPECT_FALSE(writer.flush());
}

TEST(Tally, CountsAFileOnceAndNoticesTheSecondTime) {
  Tally tally(4);
  tally.take(durable(2, 7));
  tally.take(durable(2, 8));
  EXPECT_EQ(tally.durable, 1u);
  EXPECT_EQ(tally.durable_twice, 1u);
  EXPECT_EQ(tally.jobs[2], (JobId{1, 7}));
}

TEST(Tally, TakesTheRateFromTheFirstHalfAlone) {
  Tally tally(4);
  tally.take(durable(0, 1, 1'000'000'000, 1'000'000'000));
  tally.take(durable(1, 2, 2'000'000'000, 1));
  tally.take(durable(2, 3, 90'000'000'000, 1));
  EXPECT_DOUBLE_EQ(tally.submits_per_s(), 1.0);
}

TEST(Tally, CountsHowOftenAJobWasSettled) {
  Tally tally(1);
  tally.take(settled(1));
  tally.take(settled(1));
  EXPECT_EQ(tally.settled.size(), 1u);
  EXPECT_EQ((tally.settled[JobId{1, 1}]), 2u);
}

}  // namespace
}  // namespace pqd::demo
