// Roles over real processes of real users: what [access] gives, what it keeps from whom, and what happens
// when it is taken back.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"

namespace pqd::test {
namespace {

constexpr uid_t kShop = 70'001;
constexpr uid_t kMailer = 70'002;
constexpr uid_t kPerson = 70'003;  // is not named
constexpr gid_t kOps = 70'050;

constexpr char kConfig[] = R"(
[limits]
rate_limit = 2
[access.user.70001]
producer = ["mail", "shop.*"]
act_for = true
[access.user.70002]
consumer = ["mail/send"]
[access.group.70050]
operator = true
)";

constexpr Milliseconds kPatience{30'000};

// What an operation came to; kOk = it was done.
template <class T>
Error error_of(const Result<T>& result) {
  return result ? Error::kOk : result.error().error;
}

// A member of that group and of more than most are.
bool become(uid_t uid, gid_t group) {
  std::vector<gid_t> groups{group};
  for (gid_t other = 80'000; other < 80'200; ++other) groups.push_back(other);
  return ::setgroups(groups.size(), groups.data()) == 0 && ::setgid(uid) == 0 && ::setuid(uid) == 0;
}

class Report {
 public:
  explicit Report(const Forked::Say& say) : say_(say) {}
  int fault(const std::string& what) {
    say_(what);
    return 0;
  }
  void expect(const std::string& what, Error got, Error wanted) {
    if (got != wanted) say_(what + ": " + std::string(error_name(got)));
  }

 private:
  const Forked::Say& say_;
};

class AccessE2e : public WithPqctl {
 protected:
  explicit AccessE2e(std::string config = kConfig) : WithPqctl(std::move(config)) {}

  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    ASSERT_NO_FATAL_FAILURE(WithPqctl::SetUp());
    open_directories();
  }
  // As /run/pqd would be; the test's own are for nobody else.
  void open_directories() {
    const std::string inner = daemon_.directory();
    for (const std::string& path :
         {inner, inner.substr(0, inner.rfind('/')), daemon_.socket().substr(0, daemon_.socket().rfind('/'))})
      ASSERT_EQ(::chmod(path.c_str(), 0711), 0) << path;
  }

  // In a process of that user with that one group: what went otherwise than it should.
  std::string as(uid_t uid, gid_t group, const std::function<void(Client&, Report&)>& work) {
    Forked child([&](const Forked::Say& say) {
      Report report(say);
      if (!become(uid, group)) return report.fault("it is still root");
      auto client = Client::connect({.socket = daemon_.socket()});
      if (!client) return report.fault(client.error().text);
      work(*client, report);
      return 0;
    });
    std::string faults;
    for (std::string line = child.hear(); !line.empty(); line = child.hear()) faults += line + "\n";
    EXPECT_EQ(child.wait(), 0);
    return faults;
  }

  static Error submit(Client& client, const SubmitRequest& request) {
    const auto ticket = client.submit(request);
    if (!ticket) return ticket.error().error;
    return error_of(client.wait(*ticket, kPatience));
  }
};

TEST_F(AccessE2e, OneUsersWatchesLeaveRoomForOthers) {
  std::vector<Client> clients;
  size_t taken = 0;
  for (int i = 0; i < 4; ++i) {
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client) << client.error().text;
    for (size_t n = 0; n < limits::kWatchesPerSessionMax; ++n) taken += client->watch({}) ? 1u : 0u;
    clients.push_back(std::move(*client));
  }
  EXPECT_EQ(taken, limits::kWatchesPerUserMax);
  EXPECT_EQ("", as(kShop, kShop, [](Client& client, Report& report) {
              for (size_t n = 0; n < limits::kWatchesPerSessionMax; ++n)
                report.expect("watch", error_of(client.watch({})), Error::kOk);
            }));
}

TEST_F(AccessE2e, ProducersSubmitIntoTheirQueuesAndSeeTheirOwnJobsAlone) {
  const std::string roots = first_line(output({"submit", "send", "x", "--queue", "mail"}));
  EXPECT_EQ(
      "", as(kShop, kShop, [&](Client& client, Report& report) {
        report.expect("own queue", submit(client, {.type = "t", .queue = "shop.a"}), Error::kOk);
        report.expect("in a name", submit(client, {.type = "t", .queue = "mail", .subject = "ann"}),
                      Error::kOk);
        report.expect("other queue", submit(client, {.type = "t", .queue = "other"}), Error::kUnauthorized);
        report.expect("consuming", error_of(client.subscribe({.queue = "shop.a"})), Error::kUnauthorized);
        report.expect("root's job", error_of(client.get(*JobId::parse(roots))), Error::kNotFound);
        report.expect("pause", error_of(client.queue_control(QueueAction::kPause, "mail")),
                      Error::kUnauthorized);
        report.expect("copy", error_of(client.copy_store()), Error::kUnauthorized);
        const auto jobs = client.list({});
        if (!jobs || jobs->size() != 2) report.fault("it does not see its two jobs");
      }));
  EXPECT_FALSE(has_queue("other"));
}

TEST_F(AccessE2e, ServicesAreNotLimitedTheirEndUsersAre) {
  EXPECT_EQ("", as(kShop, kShop, [&](Client& client, Report& report) {
              for (int i = 0; i < 10; ++i)
                report.expect("its own", submit(client, {.type = "t", .queue = "mail"}), Error::kOk);
              const SubmitRequest ann{.type = "t", .queue = "mail", .subject = "ann"};
              for (int i = 0; i < 2; ++i) report.expect("ann's", submit(client, ann), Error::kOk);
              report.expect("ann's third", submit(client, ann), Error::kRateLimitExceeded);
            }));
}

TEST_F(AccessE2e, ConsumersAreGivenTheJobsOfTheirTypesWhoseverTheyAre) {
  output({"submit", "bounce", "x", "--queue", "mail"});
  output({"submit", "send", "x", "--queue", "mail"});
  EXPECT_EQ(
      "", as(kMailer, kMailer, [&](Client& client, Report& report) {
        report.expect("all types", error_of(client.subscribe({.queue = "mail"})), Error::kUnauthorized);
        report.expect("its type", error_of(client.subscribe({.queue = "mail", .types = {"send"}})),
                      Error::kOk);
        const auto job = client.next(kPatience);
        if (!job || !*job || (*job)->type() != "send") {
          report.fault("no job came");
          return;
        }
        report.expect("get", error_of(client.get((*job)->id())), Error::kOk);
        const auto ticket = client.complete(**job);
        report.expect("complete", ticket ? error_of(client.wait(*ticket, kPatience)) : ticket.error().error,
                      Error::kOk);
        report.expect("submit", submit(client, {.type = "send", .queue = "mail"}), Error::kUnauthorized);
      }));
}

TEST_F(AccessE2e, OperatorsByGroupSeeAndOperateAndDoNotChangeJobs) {
  const std::string id = first_line(output({"submit", "send", "x", "--queue", "mail"}));
  EXPECT_EQ("", as(kPerson, kOps, [&](Client& client, Report& report) {
              const JobId job = *JobId::parse(id);
              report.expect("get", error_of(client.get(job)), Error::kOk);
              report.expect("pause", error_of(client.queue_control(QueueAction::kPause, "mail")), Error::kOk);
              report.expect("cancel", error_of(client.cancel(job)), Error::kUnauthorized);
              report.expect("submit", submit(client, {.type = "t", .queue = "mail"}), Error::kUnauthorized);
            }));
  EXPECT_TRUE(has(output({"queue", "show", "mail", "-o", "json"}), "\"paused\": true") ||
              has(output({"queue", "show", "mail", "-o", "json"}), "\"paused\":true"));
}

TEST_F(AccessE2e, WhoHasNoRoleIsTurnedAwayByName) {
  const std::string told =
      as(kPerson, kPerson, [](Client&, Report& report) { report.fault("it is let in"); });
  for (const char* part : {"uid 70003", "[access]"}) EXPECT_TRUE(has(told, part)) << told;
}

TEST_F(AccessE2e, RolesHoldOverTheDeathOfTheEngine) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd hears(ends[0]);
  const UniqueFd tells(ends[1]);
  Forked child([&](const Forked::Say& say) {
    Report report(say);
    if (!become(kPerson, kOps)) return report.fault("it is still root");
    auto client = Client::connect({.socket = daemon_.socket()});
    if (!client) return report.fault(client.error().text);
    const uint64_t session = client->session();
    report.expect("pause", error_of(client->queue_control(QueueAction::kPause, "default")), Error::kOk);
    say("paused");
    char byte = 0;
    if (::read(hears.get(), &byte, 1) != 1) return 1;
    report.expect("resume", error_of(client->queue_control(QueueAction::kResume, "default")), Error::kOk);
    report.expect("submit", submit(*client, {.type = "t"}), Error::kUnauthorized);
    say(client->session() == session ? "same session" : "another session");
    return 0;
  });
  EXPECT_EQ(child.hear(), "paused");
  daemon_.kill_engine();
  ASSERT_EQ(::write(tells.get(), "x", 1), 1);
  EXPECT_EQ(child.hear(), "same session");
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(AccessE2e, ConfigurationMayTakeARoleBack) {
  const auto paused = [](Client& client, Report& report) {
    report.expect("pause", error_of(client.queue_control(QueueAction::kPause, "default")), Error::kOk);
  };
  EXPECT_EQ("", as(kPerson, kOps, paused));
  daemon_.stop();
  daemon_.configure("[access.group.70050]\nproducer = [\"*\"]\n");
  ASSERT_TRUE(daemon_.start());
  open_directories();
  EXPECT_EQ("pause: UNAUTHORIZED\n", as(kPerson, kOps, paused));
}

TEST(AccessByDefault, KeepsTheSocketToItsOwnUser) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  struct stat status {};
  ASSERT_EQ(::stat(daemon.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace pqd::test
