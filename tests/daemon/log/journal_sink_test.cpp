// The sink against a socket that reads as the journal does.
#include "daemon/log/journal_sink.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

#include "shm/unique_fd.h"

namespace pqd {
namespace {

using Fields = std::map<std::string, std::string>;

// Both forms of a field, as the journal's documentation has them.
Fields parse(std::string_view datagram) {
  Fields fields;
  while (!datagram.empty()) {
    const size_t end = datagram.find('\n');
    const std::string_view line = datagram.substr(0, end);
    datagram.remove_prefix(end + 1);
    if (const size_t equals = line.find('='); equals != std::string_view::npos) {
      fields.emplace(line.substr(0, equals), line.substr(equals + 1));
      continue;
    }
    uint64_t bytes = 0;
    std::memcpy(&bytes, datagram.data(), sizeof bytes);
    fields.emplace(line, datagram.substr(sizeof bytes, bytes));
    datagram.remove_prefix(sizeof bytes + bytes + 1);
  }
  return fields;
}

class JournalSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/socket";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void listen() {
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  Fields next() {
    std::string datagram(1 << 20, '\0');
    const ssize_t count = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    if (count < 0) return {};
    datagram.resize(static_cast<size_t>(count));
    return parse(datagram);
  }
  spdlog::logger logger() {
    auto sink = std::make_shared<JournalSink>(path_);
    sink->set_pattern("%v");
    return spdlog::logger("engine", std::move(sink));
  }

  std::string directory_ = "/tmp/pqd-journal-XXXXXX";
  std::string path_;
  UniqueFd socket_;
};

TEST_F(JournalSinkTest, SendsALineWithItsLevelAndProcess) {
  listen();
  spdlog::logger log = logger();
  log.warn("low on {}", "disk");
  EXPECT_EQ(next(), (Fields{{"MESSAGE", "low on disk"},
                            {"PRIORITY", "4"},
                            {"SYSLOG_IDENTIFIER", "pqd"},
                            {"PQD_PROCESS", "engine"}}));
  log.error("gone");
  EXPECT_EQ(next()["PRIORITY"], "3");
}

TEST_F(JournalSinkTest, CannotBeMadeToForgeFieldsByLineEnds) {
  listen();
  logger().info("{}", "one\nPRIORITY=0\ntwo");
  Fields fields = next();
  EXPECT_EQ(fields["MESSAGE"], "one\nPRIORITY=0\ntwo");
  EXPECT_EQ(fields["PRIORITY"], "6");
}

TEST_F(JournalSinkTest, CutsWhatWouldNotFit) {
  listen();
  logger().info("{}", std::string(1 << 20, 'x'));
  EXPECT_EQ(next()["MESSAGE"], std::string(48 << 10, 'x'));
}

TEST_F(JournalSinkTest, CountsLinesThatNobodyTook) {
  spdlog::logger log = logger();
  log.info("lost");
  log.info("lost too");
  listen();
  log.info("heard");
  EXPECT_EQ(next()["PQD_LINES_LOST"], "2");
  log.info("again");
  EXPECT_FALSE(next().contains("PQD_LINES_LOST"));
}

TEST_F(JournalSinkTest, NeverWaitsForAJournalThatIsStuck) {
  listen();
  spdlog::logger log = logger();
  // More than any receive buffer holds.
  for (int i = 0; i < 5'000; ++i) log.info("{}", std::string(4'000, 'x'));
  while (!next().empty()) continue;
  log.info("on we go");
  EXPECT_TRUE(next().contains("PQD_LINES_LOST"));
}

}  // namespace
}  // namespace pqd
