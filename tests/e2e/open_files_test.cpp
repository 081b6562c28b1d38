// Descriptors that run out: of the daemon's processes, of a client.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "bindings/cpp/client.h"
#include "tests/e2e/limited_process.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

uint64_t open_files(pid_t pid) {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<uint64_t>(std::distance(begin(files), end(files)));
}

// A pqd that may open so many files, hard limit and all.
class LimitedPqd {
 public:
  explicit LimitedPqd(uint64_t files) {
    write_file(directory_.path("pqd"),
               "#!/bin/sh\nulimit -n " + std::to_string(files) + "\nexec " PQD_BIN_DIR "/pqd \"$@\"\n");
    ::chmod(directory_.path("pqd").c_str(), 0755);
  }
  const std::string& programs() const { return directory_.path(); }

 private:
  TempDir directory_;
};

class OpenFiles : public WithDaemon {
 protected:
  OpenFiles() : WithDaemon(kLoadConfig) {}
};

TEST(FewOpenFiles, RefuseSessionsByNameAndThoseThatLiveGoOn) {
  const LimitedPqd few(256);
  Daemon daemon(kLoadConfig, {}, few.programs());
  ASSERT_TRUE(daemon.start());
  Load load(daemon.socket(), {});
  const pid_t engine = daemon.engine();
  std::vector<Client> clients;
  Failure told{Error::kOk, {}, 0};
  while (told.error == Error::kOk && clients.size() < 256) {
    auto client = Client::connect({.socket = daemon.socket()});
    if (!client) told = client.error();
    if (client) clients.push_back(std::move(*client));
  }
  ASSERT_GT(clients.size(), 30u) << told.text;
  EXPECT_EQ(told.error, Error::kUnavailable);
  EXPECT_TRUE(has(told.text, "open files") && has(told.text, "raise the limit (LimitNOFILE=")) << told.text;
  EXPECT_GT(told.retry_after_ms, 0u);
  for (Client& client : clients) EXPECT_TRUE(client.health());
  ASSERT_TRUE(load.handles(50));
  EXPECT_EQ(daemon.engine(), engine);
  // The next one starts with all of them.
  daemon.kill_engine();
  ASSERT_TRUE(load.handles(50));
  for (Client& client : clients) EXPECT_TRUE(client.health());
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return Client::connect({.socket = daemon.socket()}).has_value(); }));
  clients.clear();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
  EXPECT_FALSE(has(daemon.log(), " error engine")) << daemon.log();
}

TEST(FewOpenFiles, EndAStartWith71WhenTheyAreTooFew) {
  const LimitedPqd few(100);
  TempDir directory;
  const Ran ran = run({few.programs() + "/pqd", "--dev", "--dir", directory.path("pqd")});
  EXPECT_EQ(ran.exit, 71) << ran.err;
  EXPECT_TRUE(has(ran.err, "pqd: 100 open files are allowed") &&
              has(ran.err, "raise the limit (LimitNOFILE="))
      << ran.err;
  EXPECT_FALSE(std::filesystem::exists(directory.path("pqd/state")));
}

// The engine has been away for a moment; all come at once.
TEST_F(OpenFiles, OfTheEngineAreTwoForEachSessionHoweverManyCome) {
  constexpr uint64_t kClients = 40;
  const pid_t engine = daemon_.engine();
  limit(engine, RLIMIT_NOFILE, open_files(engine) + 2 * kClients + 8);
  ASSERT_TRUE(daemon_.freeze_engine());
  std::vector<std::unique_ptr<Forked>> clients;
  for (uint64_t i = 0; i < kClients; ++i)
    clients.push_back(std::make_unique<Forked>([&](const Forked::Say& say) {
      auto client = Client::connect({.socket = daemon_.socket(), .connect_timeout_ms = 60'000});
      say(client ? "connected" : client.error().text);
      ::pause();
      return 0;
    }));
  // Their hellos are read: nothing is left for the supervisor to do.
  ASSERT_TRUE(eventually([&] { return open_files(daemon_.pid()) >= 5 * kClients; }));
  daemon_.thaw_engine();
  for (const auto& client : clients) EXPECT_EQ(client->hear(), "connected");
  EXPECT_EQ(daemon_.engine(), engine) << daemon_.log();
}

TEST_F(OpenFiles, ThatTheStoreDoesNotGetEndAnEngineAndNothingIsLost) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes what it finds no descriptor for as damaged memory";
  Load load(daemon_.socket(), {});
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  const pid_t engine = daemon_.engine();
  limit(engine, RLIMIT_NOFILE, open_files(engine));
  // Until the store begins another log or table.
  const Bytes payload(250'000);
  std::vector<Ticket> kept;
  while (daemon_.engine() == engine && kept.size() < 2'000) {
    const auto ticket = client->submit(
        {.type = "large", .queue = "flood", .payload = payload, .durability = Durability::kOs});
    ASSERT_TRUE(ticket) << ticket.error().text;
    kept.push_back(*ticket);
  }
  for (const Ticket& ticket : kept) EXPECT_TRUE(client->wait(ticket, kWatchdog));
  EXPECT_NE(daemon_.engine(), engine);
  EXPECT_TRUE(has(daemon_.log(), "Too many open files")) << daemon_.log();
  EXPECT_TRUE(has(daemon_.log(), "the engine ends and the next one recovers")) << daemon_.log();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
  EXPECT_EQ(jobs_of(daemon_.socket(), "flood", 0).size(), kept.size());
}

TEST_F(OpenFiles, ThatAreAllTakenKeepClientsWaitingAndTheLogShort) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes what it finds no descriptor for as damaged memory";
  limit(daemon_.pid(), RLIMIT_NOFILE, 5);
  const auto client = Client::connect({.socket = daemon_.socket(), .connect_timeout_ms = 1'000});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().error, Error::kUnavailable) << client.error().text;
  const std::string log = daemon_.log();
  const size_t said = log.find("cannot accept clients (Too many open files)");
  EXPECT_NE(said, std::string::npos) << log;
  EXPECT_EQ(log.find("cannot accept clients", said + 1), std::string::npos) << log;
  limit(daemon_.pid(), RLIMIT_NOFILE, 1'024);
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
}

// However few are left: for the socket none, for the session's own too few.
TEST_F(OpenFiles, OfAClientThatAreTooFewAreNamedAndNothingIsLeftOpen) {
  Forked child([&](const Forked::Say& say) {
    const auto before = open_files(::getpid());
    int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // the lowest number that is free
    ::close(first);
    for (uint64_t spare = 0; spare < 6; ++spare) {
      limit(::getpid(), RLIMIT_NOFILE, static_cast<uint64_t>(first) + spare);
      const auto client = Client::connect({.socket = daemon_.socket()});
      if (client) say("connected with " + std::to_string(spare));
      if (!client && client.error().error != Error::kSystemError) say(client.error().text);
      if (!client && !has(client.error().text, "raise its limit of open files (ulimit -n)"))
        say(client.error().text);
    }
    limit(::getpid(), RLIMIT_NOFILE, 1'024);
    if (!Client::connect({.socket = daemon_.socket()})) say("not even with enough");
    if (open_files(::getpid()) != before) say("something is left open");
    say("end");
    return 0;
  });
  EXPECT_EQ(child.hear(), "end");
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace pqd::test
