// Go's net/rpc with its own encoding (gob), a server and a client.
//
//	balance serve PORT
//	balance load PORT CONNECTIONS DEPTH WARM_UP SECONDS
package main

import (
	"fmt"
	"net"
	"net/rpc"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

type Request struct {
	TerminalId, CardNumber string
	Token                  []byte
}

type Money struct {
	MinorUnits int64
	Currency   string
}

type Response struct {
	Balance, Available Money
	LedgerSeq          uint64
}

type Bank struct{ balances map[string]int64 }

func (bank *Bank) GetBalance(request *Request, response *Response) error {
	money := Money{bank.balances[request.CardNumber], "EUR"}
	*response = Response{money, money, 20000}
	return nil
}

func card(number int) string { return fmt.Sprintf("40000000%08d", number) }

func serve(port string) {
	bank := &Bank{make(map[string]int64)}
	for number := 0; number < 10000; number++ {
		bank.balances[card(number)] = 1000000000000
	}
	rpc.Register(bank)
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	rpc.Accept(listener)
}

// One slot: makes a call when the one before has ended.
func calls(client *rpc.Client, seed int, begin, end time.Time) (all int, took []time.Duration) {
	request := Request{"t-0000", "", make([]byte, 16)}
	random := uint32(seed)
	for {
		random = random*1664525 + 1013904223
		request.CardNumber = cards[(random>>8)%1000]
		var response Response
		began := time.Now()
		if err := client.Call("Bank.GetBalance", &request, &response); err != nil {
			panic(err)
		}
		all++
		now := time.Now()
		if now.After(end) {
			return
		}
		if now.After(begin) {
			took = append(took, now.Sub(began))
		}
	}
}

var cards [1000]string

func load(port string, connections, depth int, warmUp, seconds float64) {
	for number := range cards {
		cards[number] = card(number)
	}
	begin := time.Now().Add(time.Duration(warmUp * 1e9))
	end := begin.Add(time.Duration(seconds * 1e9))
	var took []time.Duration
	var all int
	var mutex sync.Mutex
	var slots sync.WaitGroup
	for connection := 0; connection < connections; connection++ {
		client, err := rpc.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			panic(err)
		}
		for slot := 0; slot < depth; slot++ {
			slots.Add(1)
			go func(seed int) {
				defer slots.Done()
				count, own := calls(client, seed, begin, end)
				mutex.Lock()
				defer mutex.Unlock()
				all += count
				took = append(took, own...)
			}(connection*depth + slot)
		}
	}
	slots.Wait()
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	at := func(share float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return float64(took[int(share*float64(len(took)-1))]) / 1e3
	}
	fmt.Printf("{\"seconds\": %.3f, \"all_calls\": %d, \"flows\": [{\"done\": %d, \"per_second\": %.1f, "+
		"\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}]}\n",
		seconds, all, len(took), float64(len(took))/seconds, at(0.5), at(0.99), at(0.999))
}

func number(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(os.Args[2])
	} else if len(os.Args) == 7 && os.Args[1] == "load" {
		load(os.Args[2], int(number(os.Args[3])), int(number(os.Args[4])), number(os.Args[5]), number(os.Args[6]))
	} else {
		os.Exit(64)
	}
}
