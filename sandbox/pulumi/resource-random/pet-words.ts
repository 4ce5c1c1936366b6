// Words for RandomPet. The lists are our own and short: a pet name is for people, not for secrecy.

export const ADVERBS =
    "amply barely boldly brightly calmly clearly deeply duly early evenly fairly firmly freely fully gently gladly greatly highly kindly largely lightly mostly nearly neatly nicely openly partly plainly purely quickly rarely really safely slowly softly solely surely truly warmly widely wisely".split(
        " ",
    );

export const ADJECTIVES =
    "able agile amber ample brave brisk calm clever clear daring eager early exact fair fast fine fond free fresh gentle glad golden grand happy honest humble ideal keen kind lively loyal lucky mellow merry mild modest neat noble open patient polite proud quick quiet rapid ready robust sharp silent smart solid steady still stout strong subtle sunny swift tidy trusty vivid warm wise witty".split(
        " ",
    );

export const NAMES =
    "ant badger bass bat bear beaver bee bird bison boar bream buck camel cat chamois chicken cobra cod condor cow coyote crab crane cricket crow deer dingo dog dove duck eagle eel eft elk falcon fawn ferret finch fish fox frog gator gecko goat goose gopher grouse gull hare hawk hen heron hog hornet horse hound ibex jackal jay kid kite kiwi koala lamb lark lemur lion lizard llama loon lynx mako mink mole moose moth mouse mule newt oryx otter owl ox panda perch pig pigeon pika pony pug puma quail rabbit ram rat raven ray robin rodent salmon seal shark sheep shrew shrimp skink sloth snail snipe squid stag stork sturgeon swan tahr tapir tern tick tiger toad trout turtle viper vole walrus wasp weasel whale wolf wombat worm wren yak zebra".split(
        " ",
    );
