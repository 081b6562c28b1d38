// Schedules through the client.
#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class Cron : public WithClient {};

TEST_F(Cron, IsSetListedAndRemoved) {
  ASSERT_TRUE(
      client().cron_set({.name = "tick", .spec = "@hourly", .zone = "Asia/Tokyo", .job = {.type = "t"}}));
  const auto all = client().cron_list();
  ASSERT_TRUE(all && all->size() == 1);
  EXPECT_EQ(all->front().name, "tick");
  EXPECT_EQ(all->front().zone, "Asia/Tokyo");
  EXPECT_EQ(all->front().queue, "default");
  EXPECT_GT(all->front().next_ns, all->front().set_ns);
  EXPECT_EQ(client().cron_list("tick")->size(), 1u);
  EXPECT_EQ(error_of(client().cron_list("tock")), Error::kNotFound);
  EXPECT_EQ(error_of(client().cron_set({.name = "tick", .spec = "@daily", .job = {.type = "t"}})),
            Error::kDuplicateRequest);
  EXPECT_TRUE(client().cron_set({.name = "tick", .spec = "@daily", .job = {.type = "t"}, .replace = true}));
  EXPECT_TRUE(client().cron_remove("tick"));
  EXPECT_EQ(error_of(client().cron_remove("tick")), Error::kNotFound);
}

TEST_F(Cron, JobsComeToTheirConsumer) {
  ASSERT_TRUE(client().subscribe({.types = {"t"}}));
  ASSERT_TRUE(client().cron_set(
      {.name = "tick", .spec = "@every 1s", .job = {.type = "t", .payload = as_bytes("p")}}));
  const DeliveredJob job = take(client());
  EXPECT_EQ(as_text(job.payload()), "p");
  EXPECT_EQ(decided(client(), client().complete(job)), Error::kOk);
}

TEST_F(Cron, FaultsAreSaidInWords) {
  const auto text = [&](const ScheduleRequest& request) { return text_of(client().cron_set(request)); };
  EXPECT_TRUE(has(text({.name = "x", .spec = "* 25 * * *", .job = {.type = "t"}}), "hour \"25\""));
  EXPECT_TRUE(
      has(text({.name = "x", .spec = "@daily", .zone = "No/Where", .job = {.type = "t"}}), "No/Where"));
  EXPECT_TRUE(has(text({.name = "a b", .spec = "@daily", .job = {.type = "t"}}), "name"));
  EXPECT_TRUE(has(text({.name = "x", .spec = "@daily", .job = {.type = ""}}), "type"));
  EXPECT_TRUE(has(text({.name = "x", .spec = "@daily", .job = {.type = "t", .not_before_ms = 1}}), "delay"));
}

}  // namespace
}  // namespace pqd::test
