#include <zmq.h>

#include <cstdlib>

#include "tests/bench/transport.h"

namespace pqd::bench {
namespace {

constexpr int kHighWaterMark = 100'000;

// Its context has threads, so that each side makes one of its own.
class ZeroMq final : public Transport {
 public:
  ZeroMq() {
    static unsigned number = 0;
    const char* const directory = std::getenv("TMPDIR");
    address_ = "ipc://" + std::string(directory == nullptr ? "/tmp" : directory) + "/zmq-" +
               std::to_string(++number);
  }
  void open_sender() override {
    open(ZMQ_PUSH);
    if (::zmq_bind(socket_, address_.c_str()) != 0) throw_errno("zmq_bind");
  }
  void open_receiver() override {
    open(ZMQ_PULL);
    if (::zmq_connect(socket_, address_.c_str()) != 0) throw_errno("zmq_connect");
  }
  void send(std::span<const Record> records) override {
    for (const Record& record : records)
      if (::zmq_send(socket_, &record, sizeof record, 0) < 0) throw_errno("zmq_send");
  }
  size_t receive(std::span<Record> into) override {
    if (::zmq_recv(socket_, into.data(), sizeof(Record), 0) < 0) throw_errno("zmq_recv");
    return 1;
  }
  // Waits until all is on its way.
  void finish() override {
    ::zmq_close(socket_);
    ::zmq_ctx_term(context_);
  }

 private:
  void open(int type) {
    context_ = ::zmq_ctx_new();
    socket_ = ::zmq_socket(context_, type);
    ::zmq_setsockopt(socket_, ZMQ_SNDHWM, &kHighWaterMark, sizeof kHighWaterMark);
    ::zmq_setsockopt(socket_, ZMQ_RCVHWM, &kHighWaterMark, sizeof kHighWaterMark);
  }
  std::string address_;
  void* context_ = nullptr;
  void* socket_ = nullptr;
};

}  // namespace

std::unique_ptr<Transport> make_zeromq() { return std::make_unique<ZeroMq>(); }

}  // namespace pqd::bench
