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

class CronWithAllQueues : public WithClient {
 protected:
  CronWithAllQueues() : WithClient("[limits]\nrate_limit = 0\n") {}
  // As many as there can be, the daemon's `default` among them.
  void SetUp() override {
    WithClient::SetUp();
    std::vector<std::string> names;
    for (size_t i = 1; i < limits::kQueuesMax; ++i) names.push_back("q" + std::to_string(i));
    for (const std::string& name : names)
      ASSERT_TRUE(client().submit({.type = "t", .queue = name, .durability = Durability::kOs}));
    const auto report = client().flush(kPatience);
    ASSERT_TRUE(report && report->refused == 0) << text_of(report);
  }
};

TEST_F(CronWithAllQueues, SaysThatAQueueIsOneTooManyWhateverTheZone) {
  for (const std::string_view zone : {"UTC", "Asia/Tokyo"}) {
    const auto refused = client().cron_set(
        {.name = "x", .spec = "@daily", .zone = zone, .job = {.type = "t", .queue = "new"}});
    EXPECT_EQ(error_of(refused), Error::kInvalidRequest);
    EXPECT_TRUE(has(text_of(refused), "\"new\"") && has(text_of(refused), "4096 queues")) << text_of(refused);
    EXPECT_FALSE(has(text_of(refused), "zone")) << text_of(refused);
  }
  const auto unknown = client().cron_set(
      {.name = "x", .spec = "@daily", .zone = "No/Where", .job = {.type = "t", .queue = "q1"}});
  EXPECT_TRUE(has(text_of(unknown), "no time zone \"No/Where\"")) << text_of(unknown);
  EXPECT_FALSE(has(text_of(unknown), "type")) << text_of(unknown);
  EXPECT_TRUE(client().cron_set({.name = "x", .spec = "@daily", .job = {.type = "t", .queue = "q1"}}));
}

TEST_F(Cron, SaysThatThereAreTooManySchedules) {
  const auto set = [&](size_t number) {
    const std::string name = "s" + std::to_string(number);
    return client().cron_set({.name = name, .spec = "@yearly", .zone = "Asia/Tokyo", .job = {.type = "t"}});
  };
  for (size_t i = 0; i < limits::kSchedulesMax; ++i) ASSERT_TRUE(set(i));
  const auto refused = set(limits::kSchedulesMax);
  EXPECT_EQ(error_of(refused), Error::kInvalidRequest);
  EXPECT_TRUE(has(text_of(refused), "1024 schedules")) << text_of(refused);
  EXPECT_FALSE(has(text_of(refused), "zone")) << text_of(refused);
}

}  // namespace
}  // namespace pqd::test
