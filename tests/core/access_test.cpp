// Who may do what: patterns, what a caller's user and groups sum up to, and that the broker goes by it.
#include "core/access.h"

#include "core/queue_keys.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

constexpr uint32_t kShopUid = 2'000;      // submits into shop.*, for its end users as well
constexpr uint32_t kMailerUid = 2'001;    // consumes mail, of type send
constexpr uint32_t kOperatorUid = 2'002;  // operates
constexpr uint32_t kNobodyUid = 2'003;    // is not named
constexpr uint32_t kOpsGid = 50;          // operates
constexpr uint32_t kDbaGid = 51;          // administrates
constexpr uint32_t kStaffGid = 52;        // submits into and consumes shop.a

AccessRule rule(const std::vector<std::string>& produces, const std::vector<std::string>& consumes) {
  AccessRule rule;
  for (const auto& text : produces) rule.produces.push_back(*NamePattern::parse(text));
  for (const auto& text : consumes) rule.consumes.push_back(*ConsumeRight::parse(text));
  return rule;
}

AccessRules rules() {
  AccessRules rules;
  rules.users[kShopUid] = rule({"shop.*"}, {});
  rules.users[kShopUid].acts_for = true;
  rules.users[kMailerUid] = rule({}, {"mail/send"});
  rules.users[kOperatorUid].operates = true;
  rules.groups[kOpsGid].operates = true;
  rules.groups[kDbaGid].admin = true;
  rules.groups[kStaffGid] = rule({"shop.a"}, {"shop.a"});
  return rules;
}

BrokerOptions named() {
  BrokerOptions options;
  options.access = rules();
  options.defaults.max_active = 0;
  return options;
}

bool matches(std::string_view pattern, std::string_view name) {
  const auto parsed = NamePattern::parse(pattern);
  return parsed && parsed->matches(name);
}

TEST(NamePatternTest, IsANameOrTheBeginningOfNames) {
  EXPECT_TRUE(matches("mail", "mail"));
  EXPECT_FALSE(matches("mail", "mail2"));
  EXPECT_TRUE(matches("mail.*", "mail.bulk"));
  EXPECT_FALSE(matches("mail.*", "mail"));
  EXPECT_TRUE(matches("mail*", "mail"));
  EXPECT_TRUE(matches("*", "x"));
  for (const char* bad : {"", "a b", "*a", "a*b", "**", "a/b", "ü"})
    EXPECT_FALSE(NamePattern::parse(bad)) << bad;
  EXPECT_FALSE(NamePattern::parse(std::string(65, 'x')));
}

TEST(ConsumeRightTest, IsAQueueWithATypeOrWithAll) {
  EXPECT_TRUE(ConsumeRight::parse("mail")->type.matches_all());
  const auto right = ConsumeRight::parse("*/report.*");
  ASSERT_TRUE(right);
  EXPECT_TRUE(right->queue.matches_all());
  EXPECT_TRUE(right->type.matches("report.daily"));
  EXPECT_FALSE(right->type.matches("mail"));
  for (const char* bad : {"", "/", "a/", "/b", "a/b/c", "a b/c"})
    EXPECT_FALSE(ConsumeRight::parse(bad)) << bad;
}

TEST(RightsTest, AreTheSumOfUserGroupsAndEverybodys) {
  AccessRules all = rules();
  EXPECT_FALSE(Rights(all, kNobodyUid, {}).any());
  const uint32_t groups[] = {kStaffGid, kOpsGid, 99};
  const Rights sum(all, kMailerUid, groups);
  const std::string_view send[] = {"send"};
  EXPECT_TRUE(sum.any() && sum.operates() && !sum.admin() && !sum.acts_for());
  EXPECT_TRUE(sum.may_submit("shop.a") && !sum.may_submit("shop.b"));
  EXPECT_TRUE(sum.may_consume("mail", send) && sum.may_consume("shop.a", {}));
  all.everyone = rule({"drop"}, {});
  EXPECT_TRUE(Rights(all, kNobodyUid, {}).may_submit("drop"));
  EXPECT_TRUE(Rights(all, kShopUid, {}).may_submit("drop"));
}

TEST(RightsTest, OfAllTypesTakeARightToAllTypes) {
  const AccessRules all = rules();
  const Rights mailer(all, kMailerUid, {});
  const std::string_view one[] = {"send"};
  const std::string_view two[] = {"send", "bounce"};
  EXPECT_TRUE(mailer.may_consume("mail", one));
  EXPECT_FALSE(mailer.may_consume("mail", two));
  EXPECT_FALSE(mailer.may_consume("mail", {}));
  EXPECT_FALSE(mailer.may_consume("default", one));
}

TEST(RightsTest, OfRootAndTheDaemonsUserAreAllThereAre) {
  AccessRules all = rules();
  all.daemon_uid = kAdminUid;
  for (const uint32_t uid : {0u, kAdminUid}) {
    const Rights master(all, uid, {});
    EXPECT_TRUE(master.admin() && master.operates() && master.acts_for() && master.may_submit("x") &&
                master.may_consume("x", {}));
  }
  const uint32_t dba[] = {kDbaGid};
  const Rights by_group(all, kNobodyUid, dba);
  EXPECT_TRUE(by_group.admin() && by_group.operates() && by_group.acts_for() && by_group.may_submit("x"));
}

TEST(RightsTest, ActingForOthersAloneLetsNobodyIn) {
  AccessRules all;
  all.users[kShopUid].acts_for = true;
  EXPECT_FALSE(Rights(all, kShopUid, {}).any());
}

TEST(AccessTest, ProducersSubmitIntoTheirQueuesAlone) {
  Driver d(named());
  const SessionNo shop = d.open(kShopUid);
  EXPECT_EQ(d.refusal_of(d.submit(shop, {.queue = "shop.a"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(shop, {.queue = "mail"})), Error::kUnauthorized);
  EXPECT_FALSE(d.state.tables.find_queue("mail")) << "a refused submit makes no queue";
  const auto batch = d.submit_batch(shop, {{.queue = "mail"}, {.queue = "mail"}});
  EXPECT_EQ(d.refusal_of(batch[0]), Error::kUnauthorized);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(kMailerUid), {.queue = "mail"})), Error::kUnauthorized);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(kNobodyUid))), Error::kUnauthorized);
}

TEST(AccessTest, ServicesThatMayActForOthersSubmitInTheirNames) {
  Driver d(named());
  EXPECT_EQ(d.refusal_of(d.submit(d.open(kShopUid), {.queue = "shop.a", .subject = "ann"})), Error::kOk);
  const SessionNo staff = d.open(kNobodyUid, {kStaffGid});
  EXPECT_EQ(d.refusal_of(d.submit(staff, {.queue = "shop.a"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(staff, {.queue = "shop.a", .subject = "ann"})), Error::kUnauthorized);
}

TEST(AccessTest, ConsumersAreGivenTheirQueuesAndTypesAlone) {
  Driver d(named());
  const SessionNo mailer = d.open(kMailerUid);
  EXPECT_EQ(d.subscribe(mailer, 1, {}, "mail"), Error::kUnauthorized);
  EXPECT_EQ(d.subscribe(mailer, 1, {"send", "bounce"}, "mail"), Error::kUnauthorized);
  EXPECT_EQ(d.subscribe(mailer, 1, {"send"}, "other"), Error::kUnauthorized);
  EXPECT_FALSE(d.state.tables.find_queue("other"));
  ASSERT_EQ(d.subscribe(mailer, 8, {"send"}, "mail"), Error::kOk);
  const SessionNo admin = d.open(kAdminUid);
  d.submit(admin, {.queue = "mail", .type = "bounce"});
  const JobId mine = d.submit(admin, {.queue = "mail", .type = "send"});
  const Delivered got = d.take_one(mailer);
  EXPECT_EQ(got.id, mine);
  EXPECT_EQ(d.complete(mailer, got), Error::kOk);
}

TEST(AccessTest, OperatorsSeePauseReviewAndRedrive) {
  for (const bool by_group : {false, true}) {
    Driver d(named());
    const SessionNo operates = by_group ? d.open(kNobodyUid, {kOpsGid}) : d.open(kOperatorUid);
    const SessionNo admin = d.open(kAdminUid);
    d.subscribe(admin);
    const JobId dead = d.submit(admin, {.max_attempts = 1});
    d.fail(admin, d.take_one(admin));
    EXPECT_TRUE(d.broker.rights(operates).operates());
    EXPECT_EQ(d.command(operates, write_review(dead, "seen")), Error::kOk);
    for (const auto action : {QueueAction::kPause, QueueAction::kDrain, QueueAction::kResume})
      EXPECT_EQ(d.command(operates, write_queue_control(action, "default")), Error::kOk);
    EXPECT_EQ(d.command(operates, write_redrive(dead)), Error::kOk);
  }
}

TEST(AccessTest, OperatorsDoNotCancelPurgeConfigureScheduleSubmitOrConsume) {
  Driver d(named());
  const SessionNo operates = d.open(kOperatorUid);
  const SessionNo admin = d.open(kAdminUid);
  d.subscribe(admin);
  const JobId dead = d.submit(admin, {.max_attempts = 1});
  d.fail(admin, d.take_one(admin));
  d.command(admin, write_queue_control(QueueAction::kPause, "default"));
  const JobId waits = d.submit(admin);
  EXPECT_EQ(d.command(operates, write_cancel(waits, false)), Error::kUnauthorized) << "it sees the job";
  EXPECT_EQ(d.command(operates, write_cancel(dead, false)), Error::kUnauthorized) << "finished";
  d.checkpoint();
  EXPECT_EQ(d.command(operates, write_cancel(dead, false)), Error::kUnauthorized) << "in the store";
  EXPECT_EQ(d.command(operates, write_purge(dead)), Error::kUnauthorized);
  QueueSettings settings;
  EXPECT_EQ(d.command(operates, write_queue_configure("default", settings, *queue_key_bit("max_depth"))),
            Error::kUnauthorized);
  EXPECT_EQ(d.refusal_of(d.submit(operates)), Error::kUnauthorized);
  EXPECT_EQ(d.subscribe(operates), Error::kUnauthorized);
}

TEST(AccessTest, OthersNeitherSeeNorOperate) {
  Driver d(named());
  const SessionNo shop = d.open(kShopUid);
  const SessionNo admin = d.open(kAdminUid);
  d.subscribe(admin);
  const JobId dead = d.submit(admin, {.max_attempts = 1});
  d.fail(admin, d.take_one(admin));
  const JobId waits = d.submit(admin, {.delay_ms = 60'000});
  EXPECT_EQ(d.command(shop, write_cancel(waits, false)), Error::kNotFound);
  EXPECT_EQ(d.command(shop, write_redrive(dead)), Error::kUnauthorized);
  EXPECT_EQ(d.command(shop, write_review(dead, "x")), Error::kUnauthorized);
  EXPECT_EQ(d.command(shop, write_queue_control(QueueAction::kPause, "default")), Error::kUnauthorized);
}

TEST(AccessTest, AdministratorsByGroupDoEverything) {
  Driver d(named());
  const SessionNo dba = d.open(kNobodyUid, {kDbaGid});
  ASSERT_EQ(d.subscribe(dba), Error::kOk);
  const JobId dead = d.submit(dba, {.max_attempts = 1, .subject = "ann"});
  d.fail(dba, d.take_one(dba));
  EXPECT_EQ(d.command(dba, write_purge(dead)), Error::kOk);
  const JobId others = d.submit(d.open(kAdminUid), {.delay_ms = 60'000});
  EXPECT_EQ(d.command(dba, write_cancel(others, false)), Error::kOk);
}

TEST(AccessTest, NewEngineTakesBackWhatTheConfigurationNoLongerGives) {
  Driver d;
  const SessionNo mailer = d.open(kMailerUid);
  ASSERT_EQ(d.subscribe(mailer, 8, {"send"}, "mail", 1), Error::kOk);
  ASSERT_EQ(d.subscribe(mailer, 8, {}, "mail", 2), Error::kOk);
  ASSERT_EQ(d.subscribe(mailer, 8, {"send"}, "other", 3), Error::kOk);
  const SessionNo gone = d.open(kMailerUid);
  Broker next(d.state, d.store, named());
  CommitBuilder commit(d.state.blocks, d.commits.size() + 1, d.now_ns);
  next.begin_turn(d.now_ns, commit);
  next.know_session(mailer, {});
  next.end_turn();
  const auto& left = d.state.tables.session(mailer)->subscriptions;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].number, 1u);
  EXPECT_FALSE(next.rights(gone).any()) << "its client is not there, or not yet known";
  d.commits.push_back(commit.close(d.commits.back().hash));
}

TEST(AccessTest, RightsEndWithTheirSession) {
  Driver d(named());
  const SessionNo operates = d.open(kOperatorUid);
  const SessionNo heir = d.open(kOperatorUid);
  d.turn([&](CommitBuilder&) {
    ASSERT_TRUE(d.broker.resume_session(operates, heir, Driver::secret_of(operates), 0));
  });
  EXPECT_FALSE(d.broker.rights(operates).any());
  EXPECT_TRUE(d.broker.rights(heir).operates());
  d.close(heir);
  EXPECT_FALSE(d.broker.rights(heir).any());
}

}  // namespace
}  // namespace pqd::test
