package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/wire"
)

// whole plays all acts and takes the account.
func (p *play) whole(ctx context.Context, doc *wire.Demo) error {
	p.stage.say("   " + p.stage.paint("1", "$ cd "+p.folder))
	old, err := p.open(ctx)
	if err != nil {
		return err
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	if err := p.goOn(ctx, old); err != nil {
		return err
	}
	bridge, err := p.bridge(ctx, old)
	if err != nil {
		return err
	}
	newest, err := p.rename(ctx, bridge)
	if err != nil {
		return err
	}
	if err := p.index(ctx); err != nil {
		return err
	}
	if err := p.cleanup(ctx, newest); err != nil {
		return err
	}
	return p.account(ctx, newest, doc)
}

// open makes the store, gives it a past, and starts release 1.0.
func (p *play) open(ctx context.Context) (*running, error) {
	p.stage.act("A shop is open")
	p.stage.tell("Release 1.0 keeps amounts as text, \"12.50 EUR\". Its store is made by its first migration.")
	if err := begin(p.folder); err != nil {
		return nil, err
	}
	if err := ship(p.folder, "1.0"); err != nil {
		return nil, err
	}
	if err := p.run(ctx, "init --yes", stopover.ExitDone); err != nil {
		return nil, err
	}
	if err := p.seed(ctx); err != nil {
		return nil, err
	}
	p.stage.tell("%s orders later. From here on the shop writes all the time, in a process of its own:\n"+
		"it takes orders, adds to old ones, and notes new addresses.", thousands(int64(p.orders)))
	return p.start(ctx, "1.0")
}

// fill begins the backfill and kills it.
func (p *play) fill(ctx context.Context) error {
	p.stage.act("Release 1.1 wants whole cents and a currency")
	if err := ship(p.folder, "1.1"); err != nil {
		return err
	}
	if err := p.show("1.1", "0002_money.sql", "-- stopover: backfill", "-- stopover: contract"); err != nil {
		return err
	}
	if err := p.run(ctx, "plan", stopover.ExitDone); err != nil {
		return err
	}
	p.stage.act("The orders are filled, and the runner is killed")
	p.stage.tell("Every batch is one short transaction, with a note of how far it got.")
	p.model.written(true)
	if err := p.kill(ctx, "apply --to main:0002_money.backfill --yes"); err != nil {
		return err
	}
	return p.run(ctx, "status", stopover.ExitDone)
}

// tries is how often a fill that was too fast to be killed is played again.
const tries = 5

// kill kills a backfill on its way. If it is over before that, it is taken
// back and played again.
func (p *play) kill(ctx context.Context, words string) error {
	for range tries {
		pid, percent, err := p.runKilled(ctx, words, 40)
		if err != nil {
			return err
		}
		if percent > 0 {
			p.kills++
			p.stage.typed(fmt.Sprintf("kill -9 %d", pid))
			p.stage.tell("Its process is gone, without a chance to clean up. The books stand at %.0f %%.", percent)
			return nil
		}
		p.stage.tell("That was over before it could be killed. It is taken back, and played again.")
		if err := p.run(ctx, "rollback --to main:0001_shop --yes", stopover.ExitDone); err != nil {
			return err
		}
	}
	return fmt.Errorf("the fill was over before its runner could be killed, %d times: play it with more --orders", tries)
}

// goOn types the same command again, and shows what 1.0 wrote meanwhile.
func (p *play) goOn(ctx context.Context, old *running) error {
	p.stage.act("The same command again")
	p.stage.tell("Nothing has to be cleared or forced. The dead runner's lease runs out by itself within 15 s,\n" +
		"on the store's clock, and the work goes on after the last batch. The shop goes on all the while.")
	before := old.heard.Load()
	if err := p.run(ctx, "apply --to main:0002_money.backfill --yes", stopover.ExitDone); err != nil {
		return err
	}
	_, slowest := p.model.written(false)
	p.stage.tell("Meanwhile the shop made %s writes; the slowest took %d ms.", thousands(old.heard.Load()-before), slowest.Milliseconds())

	p.stage.act("What 1.0 wrote behind the fill is found")
	p.stage.tell("1.0 still writes only text, also to orders that were filled before. verify sees each of them,\n" +
		"and as long as it does, nothing that 1.0 needs can be taken away.")
	if err := p.hears(ctx, old, 30); err != nil {
		return err
	}
	if err := p.run(ctx, "verify", stopover.ExitViolated); err != nil {
		return err
	}
	return p.run(ctx, "cleanup", stopover.ExitRefused)
}

// bridge rolls the shop to 1.1, which writes both forms, and sweeps.
func (p *play) bridge(ctx context.Context, old *running) (*running, error) {
	p.stage.act("The shop is rolled to 1.1, which writes both forms")
	p.stage.tell("The new process starts before the old one ends. Now nobody writes the old form alone, so one\n" +
		"more sweep of what was left is the last.")
	bridge, err := p.roll(ctx, "1.1", old)
	if err != nil {
		return nil, err
	}
	return bridge, p.run(ctx, "apply --yes", stopover.ExitDone)
}

// rename gives a column a new name below a shop that uses the old one.
func (p *play) rename(ctx context.Context, bridge *running) (*running, error) {
	p.stage.act("Release 1.2: a column gets another name, an index comes")
	p.stage.tell("mail becomes email. Here triggers keep both equal, so 1.1 and 1.2 may be alive together. When\n" +
		"the gate says ready, the shop is rolled to 1.2, which knows only the new forms.")
	if err := ship(p.folder, "1.2"); err != nil {
		return nil, err
	}
	if err := p.run(ctx, "apply --yes", stopover.ExitDone); err != nil {
		return nil, err
	}
	if err := p.run(ctx, "check", stopover.ExitDone); err != nil {
		return nil, err
	}
	return p.roll(ctx, "1.2", bridge)
}

// index takes an index back and makes a better one.
func (p *play) index(ctx context.Context) error {
	p.stage.act("The index was the wrong one")
	p.stage.tell("It has an undo section, so it can be taken back. What was taken back may be mended in its file.")
	if err := p.run(ctx, "rollback --to main:0003_email --yes", stopover.ExitDone); err != nil {
		return err
	}
	if err := ship(p.folder, "1.2.1"); err != nil {
		return err
	}
	if err := p.show("1.2.1", "0004_find_orders.sql", "-- stopover: expand", "-- stopover: undo-expand"); err != nil {
		return err
	}
	return p.run(ctx, "apply --yes", stopover.ExitDone)
}

// cleanup takes the old forms away.
func (p *play) cleanup(ctx context.Context, newest *running) error {
	p.stage.act("The old forms are taken away")
	p.stage.tell("Only 1.2 is alive. Every record is verified once more, in the transaction that drops the columns.")
	if err := p.run(ctx, "cleanup --yes", stopover.ExitDone); err != nil {
		return err
	}
	if err := p.run(ctx, "status", stopover.ExitDone); err != nil {
		return err
	}
	return p.hears(ctx, newest, 50) // it lives without them
}

// roll starts a release and ends the one before, in this order.
func (p *play) roll(ctx context.Context, to string, from *running) (*running, error) {
	next, err := p.start(ctx, to)
	if err != nil {
		return nil, err
	}
	if err := p.hears(ctx, from, 20); err != nil { // both are alive for a while
		return nil, err
	}
	return next, from.stop()
}

// show shows a part of a migration's file, from a line up to another.
func (p *play) show(release, name, from, to string) error {
	content, err := os.ReadFile(filepath.Join(p.folder, filepath.FromSlash(migrations), name))
	if err != nil {
		return err
	}
	p.stage.tell("%s came with %s; the heart of it:", migrations+"/"+name, release)
	shown := false
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		shown = shown && line != to || line == from
		if shown && line != "" {
			p.stage.say("   " + p.stage.paint("36", line))
		}
	}
	return nil
}
