#include <unistd.h>

#include <optional>
#include <stdexcept>

#include "tests/bench/iceoryx_include.h"
#include "tests/bench/transport.h"
#include "tests/support/program.h"

namespace pqd::bench {
namespace {

// One runtime a process, whatever it opens.
unsigned g_open = 0;

// As many as it can have.
constexpr uint64_t kQueueRecords = iox::MAX_SUBSCRIBER_QUEUE_CAPACITY;

// Its own daemon, which there is one of on a machine; shared by the transports of one measurement.
std::shared_ptr<test::Program> broker() {
  static std::weak_ptr<test::Program> running;
  if (auto there = running.lock()) return there;
  auto started =
      std::make_shared<test::Program>(std::vector<std::string>{"iox-roudi", "--monitoring-mode", "off"});
  if (!started->says("RouDi is ready for clients"))
    throw std::runtime_error("iox-roudi does not start: " + started->err());
  running = started;
  return started;
}

class Iceoryx final : public Transport {
 public:
  Iceoryx() : broker_(broker()) {
    static unsigned made = 0;
    number_ = std::to_string(++made);
    // With the pid of who forks the sides, so that whoever cleans up knows it as ours.
    name_ = "pqd-bench-" + std::to_string(::getpid()) + "-iceoryx";
  }
  ~Iceoryx() override {
    // The last one sends it away, and it takes its memory files along.
    if (broker_.use_count() > 1) return;
    broker_->signal(SIGTERM);
    broker_->wait();
  }
  void open_sender() override {
    enter();
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    publisher_.emplace(service(), options);
  }
  void open_receiver() override {
    enter();
    iox::popo::SubscriberOptions options;
    options.queueCapacity = kQueueRecords;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    subscriber_.emplace(service(), options);
  }
  void send(std::span<const Record> records) override {
    while (!publisher_->hasSubscribers()) ::usleep(100);
    for (const Record& record : records) {
      auto loan = publisher_->loan();
      while (loan.has_error()) loan = publisher_->loan();
      *loan.value() = record;
      loan.value().publish();
    }
  }
  size_t receive(std::span<Record> into) override {
    for (;;) {
      auto sample = subscriber_->take();
      if (sample.has_error()) continue;
      into[0] = *sample.value();
      return 1;
    }
  }
  // Whoever ends without a word is taken for hung, and the daemon leaves its memory files behind.
  void finish() override {
    publisher_.reset();
    subscriber_.reset();
    if (--g_open == 0) iox::runtime::PoshRuntime::getInstance().~PoshRuntime();
  }

 private:
  void enter() {
    if (g_open++ > 0) return;
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kWarn,
                                                             iox::log::LogLevelOutput::kHideLogLevel);
    const std::string name = name_ + std::to_string(::getpid());
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name.c_str()));
  }
  iox::capro::ServiceDescription service() const {
    return {"pqd", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, number_.c_str())};
  }

  std::shared_ptr<test::Program> broker_;
  std::string number_;
  std::string name_;
  std::optional<iox::popo::Publisher<Record>> publisher_;
  std::optional<iox::popo::Subscriber<Record>> subscriber_;
};

}  // namespace

std::unique_ptr<Transport> make_iceoryx() { return std::make_unique<Iceoryx>(); }

}  // namespace pqd::bench
